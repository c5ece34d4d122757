#include <lockstep/sim/names.hpp>

#include <cerrno>
#include <climits>

namespace lockstep::sim {

name_space::name_space() : root_(std::make_shared<inode>(inode_kind::directory)) {
  root_->parent = root_.get();
  std::shared_ptr<inode> made;
  make("/tmp", inode_kind::directory, made);
}

// Requires that `from` is a directory. Null if there is no such name.
std::shared_ptr<inode> name_space::step(const std::shared_ptr<inode>& from, std::string_view name) {
  if (name == ".") return from;
  if (name == "..") return from->parent->shared_from_this();
  const auto found = from->entries.find(name);
  return found == from->entries.end() ? nullptr : found->second;
}

// Follows all but the last name.
int name_space::find_place(std::string_view path, place& found) const {
  if (path.empty()) return -ENOENT;
  if (path.size() >= PATH_MAX) return -ENAMETOOLONG;
  found = {root_, {}, path.back() == '/'};
  for (;;) {
    const std::size_t begin = path.find_first_not_of('/');
    if (begin == std::string_view::npos) return 0;
    path.remove_prefix(begin);
    if (!found.last.empty()) {
      const std::shared_ptr<inode> next = step(found.directory, found.last);
      if (next == nullptr) return -ENOENT;
      if (next->kind != inode_kind::directory) return -ENOTDIR;
      found.directory = next;
    }
    found.last = path.substr(0, path.find('/'));
    if (found.last.size() > NAME_MAX) return -ENAMETOOLONG;
    path.remove_prefix(found.last.size());
  }
}

int name_space::find(std::string_view path, std::shared_ptr<inode>& found) const {
  place at;
  if (const int failed = find_place(path, at); failed != 0) return failed;
  const std::shared_ptr<inode> last = at.last.empty() ? at.directory : step(at.directory, at.last);
  if (last == nullptr) return -ENOENT;
  if (at.slash && last->kind != inode_kind::directory) return -ENOTDIR;
  found = last;
  return 0;
}

int name_space::make(std::string_view path, inode_kind kind, std::shared_ptr<inode>& made) {
  place at;
  if (const int failed = find_place(path, at); failed != 0) return failed;
  if (at.last.empty() || step(at.directory, at.last) != nullptr) return -EEXIST;
  if (at.slash && kind != inode_kind::directory) return -ENOENT;
  made = std::make_shared<inode>(kind);
  if (kind == inode_kind::directory) made->parent = at.directory.get();
  at.directory->entries.emplace(at.last, made);
  return 0;
}

int name_space::remove(std::string_view path) {
  place at;
  if (const int failed = find_place(path, at); failed != 0) return failed;
  const std::shared_ptr<inode> last = at.last.empty() ? at.directory : step(at.directory, at.last);
  if (last == nullptr) return -ENOENT;
  if (last->kind == inode_kind::directory) return -EISDIR;
  if (at.slash) return -ENOTDIR;
  at.directory->entries.erase(at.directory->entries.find(at.last));
  return 0;
}

}  // namespace lockstep::sim
