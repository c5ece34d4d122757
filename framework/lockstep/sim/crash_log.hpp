// What happened to the files of one disk since it was last made durable, change by change; and what is durable.
//
// 1. Every change is logged after it was made, under a number that grows. It was expected before, so that nothing is
//    made that is not logged.
// 2. A change leaves the log when it becomes durable in every model: when its file, or for a name its directory, is
//    synced, or when the log is so long that the oldest are written back.
// 3. A power cut leaves what is durable, and of what is in the log what a crash_model allows and an oracle picks.
//
// What is durable only in some models is found out at a power cut, from what was synced when.
// Source: Pillai et al., All File Systems Are Not Created Equal, OSDI 2014, section 3.
#pragma once

#include <lockstep/base/chunk_queue.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/disk_image.hpp>
#include <lockstep/time/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

// One change.
struct micro_operation {
  enum class kind : std::uint8_t { write, resize, punch, set_aside, attributes, name, unname };

  kind what{};
  bool retired = false;              // durable in every model
  bool dropped : 1 = false;          // its sync has failed: of what was written only the size may stay
  bool over_another : 1 = false;     // a name that led elsewhere before
  bool partner_retired : 1 = false;  // the other half of a rename is
  bool maps : 1 = false;             // a write where there was a hole, or only space that was set aside
  bool moves : 1 = false;            // the end of a name of what has another by that
  bool of_directory : 1 = false;     // what has or had the name
  std::uint32_t group = 0;           // of the halves of a rename; 0 for none
  std::uint64_t number = 0;
  std::uint64_t file = 0;
  std::uint64_t next = 0;  // the number of the next change of its kind of the file, or of the directory; 0 for none
  union {
    std::uint64_t offset = 0;
    std::uint64_t directory;  // of a name
  };
  std::uint64_t size = 0;
  std::uint64_t before = 0;  // the size of the file before
  std::uint64_t after = 0;
  wall_clock::time_point at{};                    // what it left as the time of its file, or of the directory of a name
  std::string text{};                             // the name, or what was written if that was little
  page_run pages{};                               // otherwise; of space that is set aside a page of zeros
  std::unique_ptr<file_attributes> attributes{};  // as they were changed to

  bool grows() const noexcept { return after > before; }
  bool is_name() const noexcept { return what == kind::name || what == kind::unname; }
  bool moves_in() const noexcept { return what == kind::name && group != 0; }
  bool makes_directory() const noexcept { return what == kind::name && group == 0 && of_directory; }
  bool ends_directory() const noexcept { return what == kind::unname && of_directory && !moves; }
  // Of a name or of attributes.
  bool is_of_metadata() const noexcept { return is_name() || what == kind::attributes; }
  // What is in one order where names are: truncations and space that is set aside, too.
  bool is_in_order_with_names() const noexcept {
    return is_of_metadata() || what == kind::resize || what == kind::set_aside;
  }
};

// Answers of 0 … options - 1; 0 is that nothing is lost.
using crash_chooser = std::function<std::uint64_t(std::string_view what, std::uint64_t options)>;
// The same, told of which change it is asked, by its number: 0 for how many are at risk; of the halves of a rename that
// is not torn, the first.
using change_chooser = std::function<std::uint64_t(std::string_view what, std::uint64_t options, std::uint64_t change)>;

class crash_log {
 public:
  explicit crash_log(std::shared_ptr<page_store> pages) : durable_(std::move(pages)) {}

  // -- changes ----------------------------------------------------------------------------------------------------

  // A change is expected before it is made: that takes the memory, and throws std::bad_alloc. So what was made is
  // logged without fail.
  void expect(const inode& file, std::size_t changes = 1);
  void expect_write(const inode& file, std::uint64_t offset, std::uint64_t size);
  void expect_attributes(const inode& file);
  // All names that a call makes and removes, in that order.
  struct coming_name {
    const inode& directory;
    std::string_view name;
    const inode& file;
  };
  void expect_names(std::initializer_list<coming_name> all);

  // `maps` where a page of it was a hole, or only set aside.
  void wrote(const inode& file, std::uint64_t offset, std::uint64_t size, std::uint64_t size_before,
             bool maps) noexcept;
  // One more change where a sync has failed to write the page that is cut.
  void resized(const inode& file, std::uint64_t size_before) noexcept;
  // Whole pages are holes by that, and what is cleared in others is written as zeros: where there is one, and it is not
  // `zero`, which is only set aside. Up to three changes.
  void cleared(const inode& file, const page_reference& zero, std::uint64_t offset, std::uint64_t size) noexcept;
  // Pages of zeros are there: `zero`.
  void set_aside(const inode& file, const page_reference& zero, std::uint64_t offset, std::uint64_t size,
                 std::uint64_t size_before) noexcept;
  void changed_attributes(const inode& file) noexcept;
  // The next of those that were expected. `group` joins what one call does; 0 for none.
  void named(const inode& directory, const inode& file, bool over_another, std::uint32_t group) noexcept;
  void unnamed(const inode& directory, const inode& file, std::uint32_t group) noexcept;
  std::uint32_t new_group() noexcept { return ++last_group_ != 0 ? last_group_ : ++last_group_; }
  // Nobody can reach it any more.
  void ended(const inode& file) noexcept;

  // -- what is durable --------------------------------------------------------------------------------------------

  void synced(const inode& file, bool data_only);
  // What was written to the file is taken for clean, and never comes to the disk.
  void failed_to_sync(const inode& file);
  // The same, and it is gone from memory as well. Returns what is on the disk.
  file_content reverted(const inode& file);
  // Everything that is in the log, but changes of those files and of names in them.
  void synced_all(const std::set<std::uint64_t>& but = {});
  // Whether there is a change of it in the log, or of names in it.
  bool has_changes_of(const inode& file) const noexcept;
  // By a test's set-up: what is in the file, that name in the directory, or the names of that directory are on the disk
  // as if they had been there for long. No model makes anything else durable by that.
  void settled(const inode& file);
  void settled_name(const inode& directory, std::string_view name);
  void settled_names_of(const inode& directory);
  // Requires that `durable` is what is on the disk now, with nothing in the log.
  void begin_with(disk_image durable);
  const disk_image& durable() const noexcept { return durable_; }

  // -- sectors that are bad on the disk -------------------------------------------------------------------------------

  // That one is, as it is in memory.
  void went_bad(const bad_sectors& memory, const inode& file, std::uint64_t sector) {
    durable_.bad_.take(memory, file, sector);
  }
  // That change or those behind it have made good in memory what is not in there any more.
  void rewrote(const inode& file, const bad_sectors& memory, std::uint64_t change) noexcept {
    durable_.bad_.note_rewritten(memory, file, change);
  }
  void give_back(bad_sectors& memory, const inode& file) { durable_.bad_.give_back(memory, file); }

  // -- a power cut ------------------------------------------------------------------------------------------------

  // What is left, in a model in which something may be lost. Tells `lost` of each change that is lost or torn, in
  // words, if it is not null.
  disk_image image(const crash_model& model, const crash_chooser& choose, std::vector<std::string>* lost) const;
  disk_image image(const crash_model& model, const change_chooser& choose, std::vector<std::string>* lost) const;
  // A number of that image, without making it: images of the log as it is now that have the same are the same, whatever
  // their models. It costs what is in the log, and nothing of what is durable.
  std::uint64_t outcome(const crash_model& model, const crash_chooser& choose) const;

  // How many changes there ever were.
  std::uint64_t changes() const noexcept { return last_number_; }
  // How many are in the log. More than `changes_max`, or such that hold more than `bytes_max` of what was
  // written, are written back, the oldest first: as by a system whose page cache is full.
  std::size_t pending() const noexcept { return pending_; }
  bool is_pending(std::uint64_t number) const noexcept;
  void set_changes_max(std::size_t changes) noexcept { changes_max_ = changes; }
  void set_bytes_max(std::uint64_t bytes) noexcept { bytes_max_ = bytes; }
  // A change that writes more than that is to be made in several, so that it does not pass that limit by itself.
  std::uint64_t write_max() const noexcept {
    return writes_back_ ? std::max(bytes_max_ / page_bytes, std::uint64_t{1}) * page_bytes : ~std::uint64_t{0};
  }
  // Whether they are.
  void set_writes_back(bool writes_back) noexcept { writes_back_ = writes_back; }
  bool writes_back() const noexcept { return writes_back_; }
  const chunk_queue<micro_operation>& operations() const noexcept { return operations_; }

 private:
  friend class crash_judge;

  // Changes in the log, by number; 0 for none.
  struct chain {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };

  // What is known of a file, by number.
  struct file_state {
    chain of_file;  // changes of what is in it
    chain of_attributes;
    chain of_names;                   // of names in it
    std::uint64_t names_synced = 0;   // before this number, where a sync of a file is one of its names
    std::uint64_t renamed = 0;        // the number of the last rename over another that is durable
    std::uint64_t made = 0;           // of the change that gave it its first name
    std::uint64_t named = 0;          // of the last change of its names
    std::uint32_t names_pending = 0;  // changes of its names in the log
    bool ended = false;
    bool removed = false;         // of a directory: that is durable
    bool holds_moved = false;     // a name that something was moved to is
    bool is_going = false;        // it is about to be forgotten
    std::uint64_t next_gone = 0;  // and then that
    file_attributes made_as{};    // when it got its first name, if that is in the log
    std::string target{};         // of a symbolic link
    // Pages that a sync has failed to write, and that were not written to since; null for none.
    std::unique_ptr<std::set<std::uint64_t>> clean{};
  };

  file_state& state_of(std::uint64_t file) {
    if (file < states_.size() && states_[file] != nullptr) [[likely]]
      return *states_[file];
    return make_state_of(file);
  }
  file_state& make_state_of(std::uint64_t file);
  const file_state* state_of(std::uint64_t file) const noexcept;
  micro_operation& add(micro_operation::kind what, const inode& file) noexcept;
  micro_operation& add_name(micro_operation::kind what, const inode& directory, const inode& file,
                            std::uint32_t group) noexcept;
  micro_operation& at(std::uint64_t number) noexcept { return operations_[place_of(number)]; }
  std::size_t place_of(std::uint64_t number) const noexcept;
  // The chain that it is in.
  static chain& chain_of(file_state& state, const micro_operation& what) noexcept;
  void append(chain& to, micro_operation& last);
  // Does it for each change that has not left the log; what says true stays in the chain.
  template <class Stays>
  void filter(chain& of, const Stays& stays);
  void retire(micro_operation& gone) noexcept;
  void note_durable(const micro_operation& gone);
  static bool is_awaited(const micro_operation& what, bool data_only) noexcept;
  // These return the number of the last change that the sync awaits; 0 for none.
  std::uint64_t sync_file(const inode& file, file_state& state, bool data_only);
  std::uint64_t sync_content(const inode& file, file_state& state, bool data_only);
  std::uint64_t sync_what_is_left(file_state& state, bool data_only);
  std::uint64_t sync_attributes(file_state& state);
  static void widen(micro_operation& made, file_state& state);
  void take_pages(image_file& durable, const inode& file, const micro_operation& what);
  std::uint64_t sync_names(file_state& state);
  void retire_name(micro_operation& what);
  template <class F>
  void without_traces(const F& change);
  template <class Is>
  void settle_names(const inode& directory, const Is& is);
  void forget_retired() noexcept {
    while (!operations_.empty() && operations_.front().retired) forget_oldest();
    constexpr std::size_t few = 1024;
    if (operations_.size() - pending_ > few + pending_ + states_.size()) [[unlikely]]
      close_gaps();
  }
  void forget_oldest() noexcept;
  // So that those that have retired behind one that waits take no room and no time.
  void close_gaps() noexcept;
  void forget_if_gone(std::uint64_t file) noexcept;
  void write_back_oldest();
  static void mend(disk_image& to, const micro_operation& what) noexcept;
  // All of it.
  void apply(disk_image& to, const micro_operation& what) const;
  // Some bytes of what was written.
  static void copy(disk_image& to, const micro_operation& what, std::uint64_t begin, std::uint64_t end);
  static void set_times(image_file& of, const micro_operation& what) noexcept;
  // Of files, where each was last. Lives as long as the log is not changed.
  struct name_in {
    std::uint64_t directory;
    std::string_view name;
  };
  using name_map = std::map<std::uint64_t, name_in>;
  name_map names() const;
  static std::string path_of(std::uint64_t file, const name_map& names);
  static std::string text_of(const micro_operation& what, const name_map& names);

  disk_image durable_;
  chunk_queue<micro_operation> operations_;
  std::vector<std::unique_ptr<file_state>> states_;
  std::uint64_t last_number_ = 0;
  std::uint32_t last_group_ = 0;
  std::uint64_t committed_ = 0;     // up to this number, where a sync commits
  std::uint64_t last_name_ = 0;     // the last change of a name or of attributes that is durable
  std::uint64_t last_size_ = 0;     // of a size
  std::uint64_t last_durable_ = 0;  // of anything
  // Memory for what is expected.
  static constexpr std::size_t names_of_call_max = 4;  // an exchange
  std::string expected_text_;
  page_run expected_pages_;
  std::unique_ptr<file_attributes> expected_attributes_;
  std::array<std::string, names_of_call_max> expected_names_;
  std::size_t names_taken_ = 0;
  std::size_t pending_ = 0;
  std::uint64_t bytes_ = 0;  // that those hold
  std::size_t changes_max_ = std::size_t{1} << 21;
  std::uint64_t bytes_max_ = std::uint64_t{1} << 21;
  bool writes_back_ = true;
};

}  // namespace lockstep::sim
