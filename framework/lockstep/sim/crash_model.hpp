// What a file system promises of changes that no sync has made durable, when the power is cut: which of them may be
// lost while later ones stay, and in which pieces.
//
// A model is data. Those of the well-known file systems are below; one's own is made by changing a copy.
//
//   sim::crash_model mine = sim::ext4_ordered;
//   mine.rename_is_atomic = false;
//
// In all of them, what a sync has made durable stays: the content of the file after fsync() or fdatasync(), the names
// in a directory after fsync() of that. The rest is a choice of the oracle, which the plain run answers with "kept".
// Source: Pillai et al., All File Systems Are Not Created Equal, OSDI 2014, table 3; fs/ext4/fsync.c of Linux.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

struct crash_model {
  std::string_view name;

  // What is not durable by a sync: any of it may stay, within the orders below; or all of it does, or none.
  enum class unsynced : std::uint8_t { some, all, none };
  unsynced keeps = unsynced::some;

  // -- what else a sync makes durable -------------------------------------------------------------------------------

  // A sync of a file keeps its names too, and the directories that they are in.
  bool sync_keeps_names = false;
  // A sync keeps, up to the last change that it waits for, the changes of names and attributes of every file; and
  // truncations, all sizes, or everything, where these are in order with names. fsync() waits for all changes of the
  // file, its names, and of a directory the names in it. fdatasync() of a file waits for its first name, and for
  // changes of its size and of where it has pages; but not for what was overwritten, nor for other names and
  // attributes.
  bool sync_commits = false;

  // -- orders: what is kept only if all that went before is ----------------------------------------------------------

  bool names_in_order = false;        // changes of names and attributes and truncations, among themselves
  bool sizes_in_order = false;        // changes of sizes, among themselves and with those
  bool names_before_appends = false;  // a file grows only with the changes of names before; needs names_in_order
  bool appends_in_order = false;      // of one file
  bool all_in_order = false;          // everything
  bool data_before_rename = false;    // a rename over another file is kept only with what was written to the file
  bool overwrites_first = false;      // changes of names, attributes and sizes only with what was overwritten before

  // -- pieces -------------------------------------------------------------------------------------------------------

  // A rename is not torn into a new name and an old one that is still there; nor is the file lost by it, as a directory
  // that it was moved out of goes only after that, and one that it was moved into is made before.
  bool rename_is_atomic = false;
  // A file does not grow without what was written up to there: otherwise that reads as zeros, or as garbage.
  bool grows_with_content = false;
  // What is overwritten or appended is torn at multiples of so many bytes: 512 or 4096. The disk gets what is between
  // two of them as it was in memory at some time: a later write of it, or a hole in a part of it, only with the earlier
  // ones, and with what was cut off there.
  std::uint32_t whole_bytes = 512;
  // What was being written may be garbage then, piece by piece: neither the old nor the new. None of those below does
  // that.
  bool leaves_garbage = false;
};

// Nothing but what POSIX promises: only syncs, of the directory too.
extern const crash_model weakest;
// Ext4 with data=ordered and delayed allocation, the default of Linux.
extern const crash_model ext4_ordered;
extern const crash_model btrfs_like;
// Ext3 with data=ordered: what was overwritten and appended comes before later changes of names.
extern const crash_model ext3_ordered;
// Ext3 with data=writeback: sizes and names in order, the content at any time.
extern const crash_model ext3_writeback;
// Ext3 or ext4 with data=journal: everything in the order of the program.
extern const crash_model data_journal;
// Nothing stays but what was synced: a disk of this model writes nothing back by itself, however much it is.
extern const crash_model strict_sync;
// The process dies and the system lives on: everything stays. A call of a simulation is made at once, and so is not
// left half made: of one that writes to several pages, a process that is killed in it may leave the first of them
// alone.
extern const crash_model process_crash;

// All of these.
const std::vector<const crash_model*>& crash_models();
// What is wrong with a model, as a sentence; empty if nothing is.
std::string objection_to(const crash_model& model);
// Null if there is none of that name.
const crash_model* find_crash_model(std::string_view name);

}  // namespace lockstep::sim
