// What is to happen to a host's calls on files, and how long its disk takes for them.
#include <lockstep/sim/host.hpp>

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/run_blocking.hpp>
#include <lockstep/sim/disk_file.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/network.hpp>

#include <fcntl.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::sim {

bool host::has_faults_on(op what) const noexcept { return network_->faults().any_on(what); }

fault_effect host::disk_fault(op what, inode& file, std::uint64_t offset, std::size_t bytes, std::uint64_t file_bytes) {
  attempted_call call{what, *this};
  call.offset = offset;
  call.bytes = bytes;
  call.file_bytes = file_bytes;
  return disk_fault(call, file);
}

fault_effect host::disk_fault(attempted_call call, const inode& file, fault_kinds of) {
  const std::string path = files().text_of(file);
  const std::vector<std::string> all = files().names_of(file);
  call.name = path;
  if (!all.empty()) call.all_names = &all;
  return disk_fault(call, of);
}

fault_effect host::disk_fault(attempted_call call, fault_kinds of) {
  call.may_take_time = true;
  const fault_effect due = network_->faults().ask(call, disk_time_ == disk_time::spent ? fault_kinds::but_slow : of);
  if (due.delay != duration::zero()) {
    if (disk_clock_ == nullptr) set_pace({});
    disk_clock_->delay(now(), due.delay);
    hold_up();
  }
  if (limit_of_life_ == 0) [[likely]]
    return due;
  fault_effect dead = due;  // a predicate has ended the life of the caller: nothing more is done
  dead.what = fault_effect::kind::fail;
  dead.error = EIO;
  return dead;
}

// Who makes a call that blocks holds up all others, as on a thread.
void host::hold_up() {
  if (disk_time_ != disk_time::blocks) return;
  const bool by_somebody = detail::job_state::here() != nullptr || network_->owner().running() != nullptr;
  if (const duration left = disk_clock_->take(now()); by_somebody && left > duration::zero()) consume(left);
}

int host::fault_on_path(op what, inode& begin, const char* path, bool follows) {
  disk_works(what, 0);
  if (!has_faults_on(what)) [[likely]]
    return 0;
  const std::filesystem::path full = *path == '/' ? path : files_->text_of(begin) + '/' + path;
  std::string spelled = full.lexically_normal().string();
  if (spelled.size() > 1 && spelled.back() == '/') spelled.pop_back();
  const std::string found = files_->path_to(begin, path, follows);
  attempted_call call{what, *this};
  call.name = found.empty() ? spelled : found;
  if (call.name != spelled) call.spelled = spelled;
  return -disk_fault(call).error;
}

int host::fault_on_file(op what, inode& file) {
  disk_works(what, 0);
  if (!has_faults_on(what)) [[likely]]
    return 0;
  return -disk_fault(what, file).error;
}

// Of a call for which the disk does nothing.
int host::fault_in_memory(op what, inode& file) { return has_faults_on(what) ? -disk_fault(what, file).error : 0; }

void host::charge(op what, std::uint64_t bytes) {
  if (disk_time_ == disk_time::spent) return;
  const disk_pace& pace = disk_clock_->pace();
  const auto latency = [&pace, what] {
    switch (what) {
      case op::file_read:
      case op::list: return pace.read;
      case op::file_write:
      case op::resize: return pace.write;
      case op::sync: return pace.sync;
      default: return pace.names;
    }
  };
  disk_clock_->call(now(), latency(), bytes);
  hold_up();
}

std::uint64_t host::bytes_for_disk(op what, disk_file& file, std::uint64_t offset, std::uint64_t bytes) {
  if (what != op::file_write || (file.status_flags() & O_DIRECT) != 0) return bytes;
  return file.file().on().cache().wrote(file.file().number(), offset, bytes);
}

void host::disk_syncs(inode& file) {
  if (disk_clock_ != nullptr) [[unlikely]]
    charge(op::sync, file.on().cache().clean(file.number()));
}

void host::disk_syncs(file_system& disk) {
  if (disk_clock_ != nullptr) [[unlikely]]
    charge(op::sync, disk.cache().clean_all());
}

duration host::time_of_sync(int fd) {
  open_file* const found = table_.find(fd);
  disk_file* const file = found != nullptr ? found->as_disk_file() : nullptr;
  if (file == nullptr || (file->status_flags() & O_PATH) != 0) return {};
  disk_syncs(file->file());
  if (has_faults_on(op::sync)) [[unlikely]]
    disk_fault(attempted_call{op::sync, *this}, file->file(), fault_kinds::slow);
  return take_disk_time();
}

duration host::take_disk_time() noexcept {
  return disk_clock_ == nullptr ? duration::zero() : disk_clock_->take(now());
}

}  // namespace lockstep::sim
