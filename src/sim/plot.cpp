#include "sim/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace fogctl::sim {
namespace {

constexpr double panel_width = 460;
constexpr double panel_height = 300;
constexpr double left = 50;
constexpr double top = 30;
constexpr double plot_width = 280;
constexpr double plot_height = 220;
// Okabe and Ito's colours, which the colour-blind tell apart too; black is the ideal.
constexpr std::array<const char*, 6> colours = {"#D55E00", "#0072B2", "#009E73",
                                                "#CC79A7", "#E69F00", "#56B4E9"};

struct Span {
  double least;
  double most;
};

Span loads_of(std::span<const LoadSummary> panel) {
  const auto [least, most] = std::ranges::minmax_element(panel, {}, &LoadSummary::load);
  const double margin = std::max(.05, (most->load - least->load) / 20);
  return {least->load - margin, most->load + margin};
}

/// One scenario's panel.
class Panel {
 public:
  Panel(std::string& out, std::span<const LoadSummary> loads, double y)
      : out_(out), loads_(loads), y_(y), span_(loads_of(loads)) {}

  void draw() {
    add(R"(<text x="{}" y="{}" font-weight="bold">{}</text>)", left, y_ + 20,
        loads_.front().scenario);
    draw_grid();
    const std::size_t count = loads_.front().policies.size();
    draw_policy(count - 1, "#000000");  // the ideal, below the others
    for (std::size_t i = 0; i + 1 < count; ++i) draw_policy(i, colours[i % colours.size()]);
  }

 private:
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  double x_of(double load) const {
    return left + (load - span_.least) / (span_.most - span_.least) * plot_width;
  }
  double y_of(double rate) const {
    return y_ + top + (1 - std::clamp(rate, 0.0, 1.0)) * plot_height;
  }

  void draw_grid() {
    for (int percent = 0; percent <= 100; percent += 20) {
      const double y = y_of(percent / 100.0);
      add(R"(<path d="M{:.1f} {:.1f}h{:.1f}" stroke="#ddd"/>)", left, y, plot_width);
      add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", left - 6, y + 4, percent);
    }
    for (const LoadSummary& one : loads_) {
      add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", x_of(one.load),
          y_of(0) + 16, one.load);
    }
    add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">load; in time, %</text>)",
        left + plot_width / 2, y_of(0) + 32);
  }

  void draw_policy(std::size_t number, const char* colour) {
    std::string path;
    for (const LoadSummary& one : loads_) {
      const Estimate& rate = one.policies[number].in_time;
      const double x = x_of(one.load);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', x, y_of(rate.mean));
      add(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>)", x, y_of(rate.mean), colour);
      add(R"(<path d="M{:.1f} {:.1f}V{:.1f}" stroke="{}"/>)", x, y_of(rate.mean - rate.half_width),
          y_of(rate.mean + rate.half_width), colour);
    }
    add(R"(<path d="{}" fill="none" stroke="{}" stroke-width="2"/>)", path, colour);
    const double y = y_ + top + 10 + 18 * static_cast<double>(number);
    add(R"(<path d="M{:.1f} {:.1f}h20" stroke="{}" stroke-width="2"/>)", left + plot_width + 15,
        y - 4, colour);
    add(R"(<text x="{:.1f}" y="{:.1f}">{}</text>)", left + plot_width + 40, y,
        loads_.front().policies[number].policy);
  }

  std::string& out_;
  std::span<const LoadSummary> loads_;
  double y_;
  Span span_;
};

/// Scenario names come from file names.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string plot_in_time(std::span<const LoadSummary> summaries) {
  std::string panels;
  double y = 0;
  for (auto first = summaries.begin(); first != summaries.end();) {
    const auto last = std::find_if(first, summaries.end(), [&](const LoadSummary& one) {
      return one.scenario != first->scenario;
    });
    std::vector<LoadSummary> loads(first, last);
    for (LoadSummary& one : loads) one.scenario = escaped(one.scenario);
    std::ranges::sort(loads, {}, &LoadSummary::load);
    Panel(panels, loads, y).draw();
    y += panel_height;
    first = last;
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{2}</svg>\n",
      panel_width, std::max(y, 1.0), panels);
}

}  // namespace fogctl::sim
