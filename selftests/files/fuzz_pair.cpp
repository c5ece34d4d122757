#include "fuzz_pair.hpp"

#include "tree.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace lockstep::files {
namespace {

// Below two more, so that no name leads out of what is compared.
constexpr const char* compared = "top";
constexpr const char* inner = "top/inner";

}  // namespace

fuzz_pair::fuzz_pair(machine& on_other, machine& on_real, user as) : on_{&on_other, &on_real} {
  for (machine* const each : on_) {
    enter(*each);
    for (const char* const folder : {compared, inner}) {
      each->make_folder(each->absolute(folder));
      constexpr mode_t for_all = 0777;
      each->must("chmod", each->calls().fchmodat(AT_FDCWD, each->absolute(folder).c_str(), for_all));
    }
  }
  for (machine* const each : on_) each->become(as);
}

void fuzz_pair::enter(machine& on) {
  on.calls().umask(mask_);
  on.calls().chdir(on.absolute(inner).c_str());
}

fuzz_step fuzz_pair::run(const operation& what) {
  step_ = {};
  step_.kind = what.kind;
  if (what.kind < operation_kind::open_at) {
    if (what.kind == operation_kind::open) run_open(what);
    run_names(what);
    run_attributes(what);
  } else if (what.kind < operation_kind::inotify) {
    handle* const on = pick(what.subject, preferred_by(what.kind));
    if (on != nullptr && what.kind == operation_kind::open_at) {
      run_open(what);
    } else if (on != nullptr) {
      run_data(what, *on);
      run_size(what, *on);
      run_locks(what, *on);
      run_other(what, *on);
    }
  } else {
    run_inotify(what);
  }
  if (!step_.code.empty() && step_.said[other] == step_.said[real]) {
    for (const std::size_t arm : {other, real}) step_.open_files[arm] = open_files_of(arm);
  }
  return std::move(step_);
}

fuzz_step fuzz_pair::compare_trees() {
  fuzz_step made;
  made.code = "// the tree";
  for (const std::size_t arm : {other, real}) {
    enter(*on_[arm]);
    made.said[arm] = tree_text(*on_[arm], on_[arm]->absolute(compared));
  }
  return made;
}

// Whose call it mostly is.
fuzz_pair::preference fuzz_pair::preferred_by(operation_kind kind) {
  switch (kind) {
    case operation_kind::open_at:
    case operation_kind::entries: return [](const handle& each) { return each.kind == what_is_open::directory; };
    case operation_kind::close:
    case operation_kind::dup: return [](const handle&) { return true; };
    default: return [](const handle& each) { return each.kind == what_is_open::file; };
  }
}

fuzz_pair::handle* fuzz_pair::pick(std::uint32_t number, preference preferred) {
  constexpr std::uint32_t one_in = 12;
  std::vector<handle*> these;
  for (handle& each : handles_) {
    const bool may_stray = number % one_in == one_in - 1 && each.kind != what_is_open::inotify;
    if (preferred(each) || may_stray) these.push_back(&each);
  }
  return these.empty() ? nullptr : these[number / one_in % these.size()];
}

std::string fuzz_pair::old_name(std::uint32_t number, mode_t kind) const {
  constexpr std::uint32_t one_in = 3;
  constexpr std::uint32_t next = 24;
  std::vector<const made_name*> these;
  for (const made_name& each : names_) {
    if (kind == 0 || each.kind == kind) these.push_back(&each);
  }
  if (number % one_in == 0 || these.empty()) return name_of(number / one_in);
  return these[number / next % these.size()]->path;
}

std::string fuzz_pair::new_name(std::uint32_t number) const {
  constexpr std::uint32_t one_in = 4;
  return number % one_in == one_in - 1 ? old_name(number / one_in) : name_of(number / one_in);
}

void fuzz_pair::note_name(const std::string& path, mode_t kind) {
  if (step_.succeeded) names_.push_back({path, kind});
}

mode_t fuzz_pair::kind_of_name(const std::string& path) const {
  mode_t kind = 0;
  for (const made_name& each : names_) kind = each.path == path ? each.kind : kind;
  return kind;
}

void fuzz_pair::do_both(const std::string& code, const call& on_one) {
  step_.code = code;
  for (const std::size_t arm : {other, real}) {
    machine& on = *on_[arm];
    enter(on);
    const std::size_t before = on.transcript().size();
    on_one(on, arm);
    const std::string lines = on.transcript().substr(before);
    step_.said[arm] = lines.substr(lines.find(" -> ") + 4);
    if (!step_.said[arm].empty()) step_.said[arm].pop_back();
  }
  step_.succeeded = step_.said[real].empty() || step_.said[real].front() != 'E';
}

void fuzz_pair::add(const std::array<descriptor, 2>& made, what_is_open kind) {
  if (made[other].number() < 0 || made[real].number() < 0) return;
  handles_.push_back({made, made[real].name(), kind});
}

// Offsets of directories are the file system's own.
std::string fuzz_pair::open_files_of(std::size_t arm) {
  std::string text;
  system_calls& calls = on_[arm]->calls();
  for (const handle& each : handles_) {
    text += (text.empty() ? "" : "; ") + each.name + " ";
    const int fd = each.on[arm].number();
    if (each.kind == what_is_open::inotify) {
      pollfd asked = {fd, POLLIN, 0};
      calls.poll(&asked, 1);
      text += asked.revents == POLLIN ? "has events" : "has none";
      continue;
    }
    struct stat is {};
    const int result = calls.fstat(fd, &is);
    text += result < 0 ? result_text(result) : status_text(is);
    if (each.kind == what_is_open::file) text += ", at " + result_text(calls.lseek(fd, 0, SEEK_CUR));
  }
  return text;
}

}  // namespace lockstep::files
