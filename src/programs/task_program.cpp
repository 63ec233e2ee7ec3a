#include "programs/task_program.hpp"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "base/base64.hpp"
#include "json/json.hpp"
#include "programs/sandbox.hpp"
#include "programs/user.hpp"

namespace fogctl {
namespace {

std::unexpected<RunFailure> invalid(std::string why) {
  return std::unexpected(RunFailure{TaskErrorCode::invalid_task, std::move(why), true});
}

std::unexpected<RunFailure> bad_output(std::string why) {
  return std::unexpected(RunFailure{TaskErrorCode::task_failed, std::move(why), true});
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

std::string home_of(const TaskSpec& spec) {
  if (spec.user.empty()) return own_home();
  const auto user = find_user(spec.user);
  return user ? user->home : "/";
}

}  // namespace

ChildSpec program_of(const TaskSpec& spec) {
  ChildSpec program;
  program.command = spec.sandbox ? sandboxed(spec) : spec.command;
  program.is_sandboxed = spec.sandbox;
  if (spec.sandbox) program.hidden_arguments = sandboxed_environment(spec);
  program.workdir = spec.workdir;
  program.user = spec.user;
  program.limits = spec.limits;
  std::map<std::string, std::string> environment = {
      {"PATH", std::string(clean_path)}, {"HOME", home_of(spec)}, {"LANG", "C.UTF-8"}};
  if (!spec.sandbox) {  // else bwrap sets it, and is itself looked up in the clean PATH
    for (const auto& [name, value] : spec.env) environment.insert_or_assign(name, value);
  }
  for (const auto& [name, value] : environment) {
    program.environment.push_back(fmt::format("{}={}", name, value));
  }
  return program;
}

void add_task_environment(std::vector<std::string>& environment, const Task& task, const Run& run,
                          Duration remaining) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(remaining).count();
  environment.push_back("FOGCTL_TASK_UID=" + task.uid);
  environment.push_back("FOGCTL_TASK_NAME=" + task.name);
  environment.push_back(fmt::format("FOGCTL_TASK_CLASS={}", to_string(task.weight)));
  environment.push_back(fmt::format("FOGCTL_TASK_ATTEMPT={}", run.attempt));
  environment.push_back(fmt::format("FOGCTL_TASK_DEADLINE_MS={}", milliseconds));
  for (const RawField& field : task.other_fields) {
    const auto parent = field.name == "traceparent" ? json::read_string(field.value) : std::nullopt;
    if (parent && !parent->contains('\0')) environment.push_back("TRACEPARENT=" + *parent);
  }
}

std::expected<std::string, RunFailure> input_bytes(const Task& task, InputKind kind) {
  if (kind == InputKind::json) return task.content;
  auto text = json::read_string(task.content);
  if (!text) {
    return invalid(fmt::format("field 'content': task '{}' expects a string, got {}", task.name,
                               json::kind_of(task.content)));
  }
  if (kind == InputKind::raw) return std::move(*text);
  auto bytes = from_base64(*text);
  if (bytes) return std::move(*bytes);
  return invalid(
      fmt::format("field 'content': task '{}' expects base64 (RFC 4648, with padding)", task.name));
}

HandlerOutcome output_content(std::string_view bytes, OutputKind kind) {
  std::string content;
  if (kind == OutputKind::base64) {
    json::append_string(content, to_base64(bytes));
    return content;
  }
  if (kind == OutputKind::text) {
    if (const auto at = json::find_bad_utf8(bytes)) {
      return bad_output(fmt::format("its output is not UTF-8 (byte {})", *at));
    }
    json::append_string(content, bytes);
    return content;
  }
  const std::string_view text = trim(bytes);
  if (text.empty()) return bad_output("its output is empty, and no JSON");
  if (const auto fault = json::find_fault(text, json::deepest_member)) {
    return bad_output(fmt::format("its output is no JSON: {}", fault->message));
  }
  json::append_plain(content, text);
  return content;
}

std::string describe(const ChildExit& exit) {
  if (exit.is_lost) return "its keeper was killed";
  if (exit.signal == 0) return fmt::format("exit code {}", exit.code);
  const char* name = ::sigabbrev_np(exit.signal);
  const char* what = ::sigdescr_np(exit.signal);
  if (name == nullptr || what == nullptr) return fmt::format("signal {}", exit.signal);
  return fmt::format("SIG{} ({})", name, what);
}

std::string last_lines(std::string_view errors, std::size_t longest) {
  errors = trim(errors);
  std::string_view kept = errors;
  if (kept.size() > longest) {
    kept.remove_prefix(kept.size() - longest);
    // From the start of a line, or at least of a character.
    const auto line = kept.find('\n');
    if (line != std::string_view::npos) kept.remove_prefix(line + 1);
    while (!kept.empty() && (kept.front() & 0xC0) == 0x80) kept.remove_prefix(1);
  }
  std::string text(kept);
  while (const auto bad = json::find_bad_utf8(text)) text[*bad] = '?';
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

}  // namespace fogctl
