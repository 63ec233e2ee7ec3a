#include "node/decision_report.hpp"

#include <optional>

#include "json/object_writer.hpp"

namespace fogctl {
namespace {

class DecisionWriter {
 public:
  DecisionWriter(std::string& out, const DecisionNames& names) : out_(out), names_(names) {}

  void append(const DecisionView& view, Instant now) {
    const Decision& decision = view.decision;
    ObjectWriter writer(out_);
    writer.number("age", to_seconds(now - decision.at));
    writer.text("policy", names_.policy);
    writer.text("task_name", decision.name.text());
    writer.text("class", to_string(decision.weight));
    writer.number("time_requirement", to_seconds(decision.requirement));
    writer.number("waited", to_seconds(decision.waited));
    writer.number("slack", to_seconds(decision.slack));
    writer.count("offload_times", static_cast<std::uint64_t>(decision.offload_times));
    append_flag(writer, "cloud_processing", decision.cloud_processing);
    append_choice(writer, decision.choice);
    writer.number(
        "expected_wait",
        seconds_of(decision.choice.is_somewhere ? std::optional(decision.expected) : std::nullopt));
    std::string& list = writer.begin("candidates");
    list += '[';
    for (const Considered& place : view.places) {
      if (list.back() != '[') list += ',';
      append_place(place);
    }
    list += ']';
    append_copies(writer, decision);
    append_shadow(writer, decision);
    append_flag(writer, "placed_again", !decision.is_last);
    append_ending(writer, decision.ending);
    writer.end();
  }

 private:
  static std::optional<double> seconds_of(const std::optional<Duration>& length) {
    return length ? std::optional(to_seconds(*length)) : std::nullopt;
  }
  static void append_flag(ObjectWriter& writer, std::string_view name, bool flag) {
    writer.value(name, flag ? "true" : "false");
  }

  /// "site", "node", "name": null where there is none.
  void append_site(ObjectWriter& writer, Site site, PeerId link) {
    writer.text("site", to_string(site));
    const NeighbourIdentity* who = site == Site::neighbour ? names_.who_is(link) : nullptr;
    if (who != nullptr && !who->is_original()) {
      writer.text("node", who->node);
    } else {
      writer.value("node", "null");
    }
    if (site == Site::here) return writer.text("name", names_.here);
    if (site == Site::cloud) return writer.text("name", names_.cloud);
    if (who == nullptr) return writer.value("name", "null");
    writer.text("name", who->name.empty() ? who->address : who->name);
  }

  void append_choice(ObjectWriter& writer, const Choice& choice) {
    if (choice.is_somewhere) {
      append_site(writer, choice.site, choice.link);
    } else {
      for (const char* name : {"site", "node", "name"}) writer.value(name, "null");
    }
    writer.text("reason", choice.reason);
  }

  void append_place(const Considered& place) {
    ObjectWriter writer(out_);
    append_site(writer, place.site, place.link);
    writer.number("expected_wait", seconds_of(place.wait));
    writer.number("link_delay", seconds_of(place.link_delay));
    writer.number("expected_run", seconds_of(place.run));
    writer.number("state_age", seconds_of(place.age));
    writer.number("headroom", seconds_of(place.headroom));
    writer.text("verdict", to_string(place.verdict));
    writer.text("why", explanation_of(place.verdict));
    writer.end();
  }

  void append_copies(ObjectWriter& writer, const Decision& decision) {
    std::string& list = writer.begin("copies");
    list += '[';
    for (std::size_t i = 0; i < decision.copy_count; ++i) {
      if (i > 0) list += ',';
      const DecidedCopy& copy = decision.copies[i];
      ObjectWriter one(list);
      append_site(one, Site::neighbour, copy.link);
      one.number("after", to_seconds(copy.after));
      one.number("expected_wait", to_seconds(copy.expected));
      one.text("fate", to_string(copy.fate));
      one.end();
    }
    list += ']';
  }

  void append_shadow(ObjectWriter& writer, const Decision& decision) {
    if (!decision.shadow) return writer.value("shadow", "null");
    ObjectWriter shadow(writer.begin("shadow"));
    shadow.text("policy", names_.shadow);
    append_choice(shadow, *decision.shadow);
    std::string& list = shadow.begin("copies");
    list += '[';
    for (const PeerId link : decision.shadow->copies) {
      if (link == 0) break;
      if (list.back() != '[') list += ',';
      ObjectWriter one(list);
      append_site(one, Site::neighbour, link);
      one.end();
    }
    list += ']';
    append_flag(shadow, "differs", !decision.shadow->is_same(decision.choice));
    shadow.end();
  }

  void append_ending(ObjectWriter& writer, const std::optional<TaskEnding>& ending) {
    if (!ending) return writer.value("outcome", "null");
    ObjectWriter outcome(writer.begin("outcome"));
    outcome.number("waited", to_seconds(ending->waited));
    outcome.number("execution_time", to_seconds(ending->execution));
    outcome.text("node", ending->node.text());
    append_flag(outcome, "in_time", ending->is_in_time);
    if (ending->error) {
      outcome.text("error", to_string(*ending->error));
    } else {
      outcome.value("error", "null");
    }
    outcome.end();
  }

  std::string& out_;
  const DecisionNames& names_;
};

}  // namespace

std::string decision_members(const DecisionView& view, const DecisionNames& names, Instant now) {
  std::string out;
  DecisionWriter(out, names).append(view, now);
  return out.substr(1, out.size() - 2);
}

std::string explanation_members(std::string_view uid, const std::vector<DecisionView>& views,
                                const DecisionNames& names, Instant now) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("task_uid", uid);
  std::string& list = writer.begin("decisions");
  list += '[';
  for (const DecisionView& view : views) {
    if (list.back() != '[') list += ',';
    DecisionWriter(list, names).append(view, now);
  }
  list += ']';
  return out.substr(1);
}

}  // namespace fogctl
