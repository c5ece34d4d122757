#include <lockstep/sim/plain_files.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/crash_plan.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

namespace lockstep::sim {

namespace {

constexpr mode_t of_files = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
constexpr mode_t of_directories = of_files | S_IXUSR | S_IXGRP | S_IXOTH;

// Any step may change what is looked at here, or look at what is changed.
void touch_all() { detail::touch(everything, access::write); }

// As the superuser, whoever the host's tasks are, and with all the memory that it takes.
class as_root {
 public:
  explicit as_root(file_names& files) : files_(files), before_(files.who()) { files.who() = {.umask = 0}; }
  as_root(const as_root&) = delete;
  as_root& operator=(const as_root&) = delete;
  ~as_root() { files_.who() = before_; }

 private:
  sparing_allocations of_the_test_;
  file_names& files_;
  credentials before_;
};

// What is set up needs no room in memory, and so brings nothing else to the disk.
class without_writing_back {
 public:
  explicit without_writing_back(crash_log& of) noexcept : of_(of), before_(of.writes_back()) {
    of.set_writes_back(false);
  }
  without_writing_back(const without_writing_back&) = delete;
  without_writing_back& operator=(const without_writing_back&) = delete;
  ~without_writing_back() { of_.set_writes_back(before_); }

 private:
  crash_log& of_;
  bool before_;
};

// From the root of its disk on, which need not be that of the host.
std::string_view within_disk(std::string_view path) noexcept {
  const std::size_t begin = path.find_first_not_of('/');
  return begin == std::string_view::npos ? "." : path.substr(begin);
}

}  // namespace

file_system& plain_files::disk() const { return disk_ != nullptr ? *disk_ : of_.files().disk(); }

void plain_files::refuse(std::string_view path, int error) const {
  const std::string on = disk_ != nullptr ? fmt::format(" on {}", of_.files().path_of(*disk_)) : "";
  of_.of().owner().misused(fmt::format("files of host \"{}\"{}: {}: {}", of_.name(), on, path, std::strerror(-error)),
                           where_);
}

// Makes the directories that are missing on the way.
inode& plain_files::directory_for(std::string_view path, std::string_view& last) const {
  file_names& files = of_.files();
  inode* at = &disk().root();
  for (;;) {
    const std::size_t begin = path.find_first_not_of('/');
    if (begin == std::string_view::npos) refuse(path, -EINVAL);
    path.remove_prefix(begin);
    last = path.substr(0, path.find('/'));
    path.remove_prefix(last.size());
    if (path.find_first_not_of('/') == std::string_view::npos) return *at;
    inode_reference next;
    int failed = files.find_file(*at, last, true, next);
    if (failed == -ENOENT) {
      failed = files.make_node(*at, last, S_IFDIR | of_directories, next);
    }
    if (failed == 0 && !next->is_directory()) failed = -ENOTDIR;
    if (failed != 0) refuse(last, failed);
    at->on().log().settled_name(*at, last);
    at = next.get();
  }
}

// That name is durable, or that it is gone, and so is what leads there.
void plain_files::settle(inode& directory, std::string_view name) const {
  directory.on().log().settled_name(directory, name);
  for (inode* at = &directory; at != nullptr; at = at->parent == at ? at->mounted_on : at->parent) {
    if (at->parent != at) at->on().log().settled_names_of(*at);
  }
}

void plain_files::write_file(std::string_view path, std::string_view text) {
  touch_all();
  file_names& files = of_.files();
  const as_root root(files);
  std::string_view last;
  inode& directory = directory_for(path, last);
  inode_reference file;
  file_names::place there;
  const int failed = files.open(directory, last, O_WRONLY | O_CREAT | O_TRUNC, of_files, file, &there);
  if (failed < 0) refuse(path, failed);
  const without_writing_back alone(file->on().log());
  file->on().resize(*file, 0);
  const std::int64_t taken = file->on().write(*file, text.data(), text.size(), 0);
  if (taken < 0) refuse(path, static_cast<int>(taken));
  if (static_cast<std::size_t>(taken) < text.size()) refuse(path, -ENOSPC);
  file->on().log().settled(*file);
  settle(directory, last);
  settle(*there.directory, there.last);  // where a link leads
}

void plain_files::make_directory(std::string_view path) {
  touch_all();
  const as_root root(of_.files());
  std::string_view last;
  settle(directory_for(std::string(path) + "/.", last), ".");
}

void plain_files::make_link(std::string_view path, std::string_view target) {
  touch_all();
  file_names& files = of_.files();
  const as_root root(files);
  std::string_view last;
  inode& directory = directory_for(path, last);
  if (const int failed = files.make_link(target, directory, last); failed != 0) refuse(path, failed);
  settle(directory, last);
}

void plain_files::remove(std::string_view path) {
  touch_all();
  file_names& files = of_.files();
  const as_root root(files);
  file_names::place found;
  const int failed = files.find(disk().root(), within_disk(path), file_names::following::never, found);
  if (failed == -ENOENT || (failed == 0 && !found.file)) return;
  const bool is_busy = failed == 0 && (found.last.empty() || found.by_dots || found.file->mounted_on != nullptr);
  if (failed != 0 || is_busy) refuse(path, is_busy ? -EBUSY : failed);
  if (found.file->is_directory()) {
    std::vector<std::string> names;
    for (std::size_t place = 0; place < found.file->entries.places(); ++place) {
      const directory_entries::entry& each = found.file->entries.at(place);
      if (each.to != nullptr) names.push_back(fmt::format("{}/{}", path, each.name));
    }
    for (const std::string& each : names) remove(each);
  }
  found.directory->on().unlink(*found.directory, found.last);
  settle(*found.directory, found.last);
}

std::string plain_files::read_file(std::string_view path) const {
  touch_all();
  file_names& files = of_.files();
  const as_root root(files);
  inode_reference file;
  const int failed = files.find_file(disk().root(), within_disk(path), true, file);
  if (failed != 0) refuse(path, failed);
  if (!file->is_regular()) refuse(path, file->is_directory() ? -EISDIR : -EINVAL);
  file->on().need_content(*file);
  std::string text(file->content.size(), '\0');
  file->content.read(text.data(), text.size(), 0);
  file->on().bad().show(file->number(), reinterpret_cast<std::byte*>(text.data()), text.size(), 0);
  return text;
}

bool plain_files::exists(std::string_view path) const {
  touch_all();
  file_names& files = of_.files();
  const as_root root(files);
  inode_reference file;
  return files.find_file(disk().root(), within_disk(path), false, file) == 0;
}

disk_image plain_files::image() const {
  touch_all();
  return disk().image();
}

disk_image plain_files::durable_image() const {
  touch_all();
  constexpr unsigned all_lost = 0;
  return crash_plan(disk().model(), 0).image(disk(), all_lost, nullptr);
}

void plain_files::restore(const disk_image& image) {
  touch_all();
  of_.files().restore(disk(), image);
}

std::vector<crash_image> plain_files::crash_images(std::size_t images_max) const {
  touch_all();
  return crash_plan(disk().model(), disk().log().changes()).different(disk(), images_max);
}

disk_image plain_files::image_after_power_cut() const {
  touch_all();
  return disk().image_after_power_cut(disk().model(), of_.picks_of_power_cuts(), nullptr);
}

void plain_files::crash_model(const sim::crash_model& model) {
  if (const std::string objection = objection_to(model); !objection.empty()) {
    of_.of().owner().misused(objection, where_);
  }
  if (disk_ == nullptr) return of_.files().set_crash_model(model);
  disk_->set_model(model);
}

void plain_files::capacity(std::uint64_t bytes, std::uint64_t files) {
  touch_all();
  disk().limits().pages_max = bytes / page_bytes;
  disk().limits().inodes_max = files;
}

void plain_files::quota(unsigned user, std::uint64_t bytes) {
  touch_all();
  disk().set_quota(user, bytes / page_bytes);
}

void plain_files::read_only(bool read_only) {
  touch_all();
  disk().set_read_only(read_only);
}

void plain_files::direct_unit(std::uint32_t bytes) {
  if (!std::has_single_bit(bytes)) {
    of_.of().owner().misused(fmt::format("{} bytes are no unit of a disk, as a power of two is", bytes), where_);
  }
  touch_all();
  disk().limits().direct_unit_bytes = bytes;
}

void plain_files::page_cache(std::uint64_t bytes) {
  touch_all();
  disk().set_cache(bytes);
}

void plain_files::failed_sync_reverts(bool reverts) {
  touch_all();
  disk().set_failed_sync_reverts(reverts);
}

void plain_files::pace(const disk_pace& pace) {
  using named = std::pair<const char*, duration>;
  for (const auto& [name, length] :
       {named("read", pace.read), named("write", pace.write), named("sync", pace.sync), named("names", pace.names),
        named("stall", pace.stall), named("stall_every", pace.stall_every)}) {
    if (length >= duration::zero()) continue;
    of_.of().owner().misused(
        fmt::format("a disk cannot take {} for `{}`; leave it out for no time", to_text(length), name), where_);
  }
  if (pace.stall > duration::zero() && pace.stall >= pace.stall_every) {
    of_.of().owner().misused(
        fmt::format("a disk that stalls for {} every {} does nothing else; make `stall_every` longer",
                    to_text(pace.stall), to_text(pace.stall_every)),
        where_);
  }
  touch_all();
  of_.set_pace(pace);
}

plain_files plain_files::mount(std::string_view on) {
  touch_all();
  if (!exists(on)) make_directory(on);
  file_system* made = nullptr;
  const int failed = of_.files().mount(disk().root(), within_disk(on), made);
  if (failed != 0) refuse(on, failed);
  return {of_, *made, where_};
}

plain_files plain_files::mounted(std::string_view on) const {
  file_system* found = nullptr;
  const int failed = of_.files().find_disk(disk().root(), within_disk(on), found);
  if (failed != 0) refuse(on, failed);
  return {of_, *found, where_};
}

void plain_files::mount_fixture(std::string_view on, const std::string& folder) {
  touch_all();
  make_directory(on);
  const int failed = of_.files().mount_fixture(disk().root(), within_disk(on), folder);
  if (failed != 0) refuse(folder, failed);
}

}  // namespace lockstep::sim
