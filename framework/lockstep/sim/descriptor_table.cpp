#include <lockstep/sim/descriptor_table.hpp>

#include <algorithm>

namespace lockstep::sim {

std::size_t descriptor_table::next_free(std::size_t least) const noexcept {
  std::size_t at = std::max(lowest_free_, least);
  while (at < slots_.size() && slots_[at].file) ++at;
  return at;
}

// Duplicates are of one file.
std::size_t descriptor_table::count_files() const noexcept {
  std::size_t count = 0;
  for (auto each = slots_.begin(); each != slots_.end(); ++each) {
    if (!each->file) continue;
    const auto is_the_same = [&](const slot& other) { return other.file.get() == each->file.get(); };
    if (each->file->references() == 1 || std::none_of(slots_.begin(), each, is_the_same)) ++count;
  }
  return count;
}

int descriptor_table::lacks_room(std::size_t files) const noexcept {
  touch_free();
  if (next_free(0) >= limit_) return -EMFILE;
  return files_max_ != 0 && count_files() + files > files_max_ ? -ENFILE : 0;
}

int descriptor_table::add(file_reference file, bool closes_on_exec, int least) {
  touch_free();
  const std::size_t at = next_free(static_cast<std::size_t>(least));
  if (at >= limit_) return -EMFILE;
  file->opened_here();
  put(static_cast<int>(at), std::move(file), closes_on_exec);
  if (static_cast<std::size_t>(least) <= lowest_free_) lowest_free_ = at + 1;
  return static_cast<int>(at);
}

void descriptor_table::put(int fd, file_reference file, bool closes_on_exec) {
  const auto at = static_cast<std::size_t>(fd);
  touch_free();
  detail::touch(roll(id_, at), access::write);
  if (at >= slots_.size()) slots_.resize(at + 1);
  if (!slots_[at].file) ++count_;
  slots_[at].closes_on_exec = closes_on_exec;
  std::swap(slots_[at].file, file);  // what it was goes when the table is right again
}

file_reference descriptor_table::remove(int fd) noexcept {
  if (find(fd) == nullptr) return {};
  const auto at = static_cast<std::size_t>(fd);
  touch_free();
  detail::touch(roll(id_, at), access::write);
  lowest_free_ = std::min(lowest_free_, at);
  --count_;
  return std::exchange(slots_[at].file, {});
}

}  // namespace lockstep::sim
