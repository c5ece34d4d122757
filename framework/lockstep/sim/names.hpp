// The names of a host's file system, without what is in the files: a tree of directories whose entries are inodes.
//
// Paths begin at the root, whether with a slash or without. "/" and "/tmp" are there at first.
// An inode lives as long as a name or somebody who uses it. Results are those of Linux's calls, errors minus the error
// number. Source: path_resolution(7); Linux's fs/namei.c.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace lockstep::sim {

class unix_socket;

enum class inode_kind : std::uint8_t { directory, socket, regular };

struct inode : std::enable_shared_from_this<inode> {
  explicit inode(inode_kind is) noexcept : kind(is) {}

  inode_kind kind;
  unix_socket* bound = nullptr;  // who has that address, of a socket
  inode* parent = nullptr;       // of a directory; the root's is itself
  std::map<std::string, std::shared_ptr<inode>, std::less<>> entries;
};

class name_space {
 public:
  name_space();

  // ENOENT, ENOTDIR, ENAMETOOLONG.
  int find(std::string_view path, std::shared_ptr<inode>& found) const;
  // EEXIST too.
  int make(std::string_view path, inode_kind kind, std::shared_ptr<inode>& made);
  // As unlink(): EISDIR too.
  int remove(std::string_view path);

 private:
  struct place {
    std::shared_ptr<inode> directory;
    std::string_view last;  // empty for the root
    bool slash = false;     // after it
  };

  int find_place(std::string_view path, place& found) const;
  static std::shared_ptr<inode> step(const std::shared_ptr<inode>& from, std::string_view name);

  std::shared_ptr<inode> root_;
};

}  // namespace lockstep::sim
