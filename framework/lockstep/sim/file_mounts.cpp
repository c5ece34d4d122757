// The disks of a host: what is mounted where, and what becomes of that when the power is cut.
#include <lockstep/sim/file_names.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace lockstep::sim {

std::vector<file_system*> file_names::disks() const {
  std::vector<file_system*> all;
  for (const mounted_disk& each : disks_) {
    if (!each.is_fixture) all.push_back(each.disk.get());
  }
  return all;
}

int file_names::mount(inode& at, std::string_view on, file_system*& made) {
  inode_reference there;
  if (const int failed = find_file(at, on, true, there); failed != 0) return failed;
  if (!there->is_directory()) return -ENOTDIR;
  const std::uint64_t number = disks_.size();
  std::string path;
  if (const int failed = path_of(*there, path); failed != 0) return failed;
  disks_.reserve(disks_.size() + 1);
  mounted_disk fresh{path, std::make_unique<file_system>(owner_, pages_, roll(id_, number), number + 1)};
  made = fresh.disk.get();
  made->set_model(model_);
  put(fresh, *there);
  disks_.push_back(std::move(fresh));
  return 0;
}

void file_names::put(mounted_disk& what, inode& on) {
  std::string within;
  for (const inode* at = &on; at->parent != at; at = at->parent) within.insert(0, at->name()).insert(0, "/");
  what.under = &on.on();
  what.within = '.' + within;
  on.mounted = &what.disk->root();
  what.disk->root().mounted_on = &on;
}

void file_names::copy_names(file_system& onto, inode& directory, const std::string& folder) {
  std::vector<std::filesystem::path> sorted;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    sorted.push_back(at->path());
  if (failed) owner_.misused(fmt::format("the fixture {} cannot be read: {}", folder, failed.message()));
  std::sort(sorted.begin(), sorted.end());
  constexpr mode_t readable = S_IRUSR | S_IRGRP | S_IROTH;
  constexpr mode_t enterable = S_IXUSR | S_IXGRP | S_IXOTH;
  for (const std::filesystem::path& each : sorted) {
    inode_reference made;
    const std::filesystem::file_status is = std::filesystem::symlink_status(each);
    if (std::filesystem::is_directory(is)) {
      onto.make(S_IFDIR | readable | enterable, {.umask = 0}, made);
    } else if (std::filesystem::is_symlink(is)) {
      onto.make(S_IFLNK | S_IRWXU | S_IRWXG | S_IRWXO, {.umask = 0}, made);
      made->target = std::filesystem::read_symlink(each).string();
    } else if (std::filesystem::is_regular_file(is)) {
      onto.make(S_IFREG | readable, {.umask = 0}, made);
      made->target = each.string();
      made->is_fixture = true;
    } else {
      continue;
    }
    onto.link(directory, each.filename().string(), *made);
    if (made->is_directory()) copy_names(onto, *made, each.string());
  }
}

void file_names::lose_power(const crash_chooser& choose, std::vector<std::string>* lost) {
  const sparing_allocations of_the_disk;
  working_directory_ = nullptr;
  for (const mounted_disk& each : disks_) {
    const crash_model& model = each.disk->model();
    if (each.is_fixture || model.keeps == crash_model::unsynced::all)
      continue;  // it lives on, with what is mounted there
    restore(*each.disk, each.disk->image_after_power_cut(model, choose, lost));
  }
}

void file_names::set_crash_model(const crash_model& model) noexcept {
  model_ = model;
  for (const mounted_disk& each : disks_) each.disk->set_model(model);
}

// What is mounted there goes before the directories end.
void file_names::restore(file_system& disk, const disk_image& image) {
  const sparing_allocations of_the_disk;
  for (const mounted_disk& each : disks_) {
    if (each.under != &disk) continue;
    inode* const on = std::exchange(each.disk->root().mounted_on, nullptr);
    if (on != nullptr) on->mounted = nullptr;
  }
  disk.restore(image);
  const credentials caller = std::exchange(who_, {});
  for (mounted_disk& each : disks_) {
    if (each.under == &disk) mount_again(each);
  }
  who_ = caller;
}

// By its path, as /etc/fstab does it, in the order in which all were mounted. One whose directory is not there any more
// cannot be reached.
void file_names::mount_again(mounted_disk& what) {
  inode_reference on;
  if (find_file(what.under->root(), what.within, true, on) == 0 && on->is_directory()) put(what, *on);
}

int file_names::mount_fixture(inode& at, std::string_view on, const std::string& folder) {
  std::error_code failed;
  const std::filesystem::file_status is = std::filesystem::status(folder, failed);
  if (is.type() == std::filesystem::file_type::not_found) return -ENOENT;
  if (failed) return -failed.value();
  if (!std::filesystem::is_directory(is)) return -ENOTDIR;
  file_system* made = nullptr;
  if (const int refused = mount(at, on, made); refused != 0) return refused;
  copy_names(*made, made->root(), folder);
  made->set_read_only(true);
  disks_.back().is_fixture = true;
  return 0;
}

int file_names::find_disk(inode& at, std::string_view on, file_system*& found) const {
  inode_reference there;
  if (const int failed = find_file(at, on, true, there); failed != 0) return failed;
  if (there->parent != there.get()) return -EINVAL;
  found = &there->on();
  return 0;
}

std::string_view file_names::path_of(const file_system& disk) const noexcept {
  for (const mounted_disk& each : disks_) {
    if (each.disk.get() == &disk) return each.path;
  }
  return {};
}

}  // namespace lockstep::sim
