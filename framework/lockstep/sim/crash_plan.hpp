// Which of the many images that a power cut may leave are looked at: those first in which programs are found wrong, and
// then others at random.
//
//   crash_plan plan(ext4_ordered, seed);
//   const disk_image left = plan.next(disk);
//
// The images behind one and the same change of a disk, in one model, are the same in every run.
#pragma once

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/disk_image.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

class file_system;

class crash_plan {
 public:
  // What was picked of an image, in the order of the questions.
  using answers = std::vector<std::uint64_t>;

  // What is drawn at random is drawn by `seed`. The model must live as long.
  crash_plan(const crash_model& model, std::uint64_t seed) noexcept : model_(model), seed_(seed) {}

  // Of the disk as it is now, one after the other; the same one may come more than once. Tells `lost` as
  // file_system::image_after_power_cut() does.
  //   0  all is lost that may be      4, 5  of the last write, all but its first piece, or that alone
  //   1  nothing                      6     all but the last change
  //   2  what was written             7, 8  of names, or of what is in files, the oldest change alone
  //   3  names alone                  9, 11 ...   one change alone: the second, the third ...; of many, one at random
  //                                   10, 12 ...  at random, some little, and some much
  disk_image next(const file_system& disk, std::vector<std::string>* lost) { return image(disk, image_ + 1, lost); }
  // One of them, by its number. Number 6 is known once 0 was asked for.
  disk_image image(const file_system& disk, unsigned number, std::vector<std::string>* lost);
  // The number of that image, see crash_log::outcome(), without making it: given() are its answers then.
  std::uint64_t outcome(const file_system& disk, unsigned number);
  // By which the last one can be had again.
  const answers& given() const noexcept { return given_; }
  // Whether there is more than one.
  bool varies() const noexcept { return model_.keeps == crash_model::unsynced::some; }

  // Every sequence of answers, the dullest first: how each is given, and the number of its image. Until `look` returns
  // false, or there are no more, but not more than some thousand, and fewer the longer the log is.
  static void each_outcome(const file_system& disk, const crash_model& model,
                           const std::function<bool(const answers& given, std::uint64_t outcome)>& look);
  // So many different images, or as many as there are: if the next ones are known, every sequence of answers is tried,
  // see above.
  std::vector<crash_image> different(const file_system& disk, std::size_t images_max);

 private:
  static constexpr unsigned planned = 9;

  template <class F>
  auto ask(unsigned number, const F& what);
  std::uint64_t answer(std::string_view what, std::uint64_t options);
  std::uint64_t at_risk(std::uint64_t options) const noexcept;
  std::uint64_t loss(std::string_view what, std::uint64_t options) noexcept;
  bool loses_one() const noexcept { return image_ >= planned && image_ % 2 == 1; }
  std::uint64_t drawn(std::uint64_t options) const noexcept;

  const crash_model& model_;
  std::uint64_t seed_;
  unsigned image_ = ~0u;        // the last one
  std::size_t of_image_0_ = 0;  // so many answers it had
  answers given_;
  std::string_view last_{};
  bool lost_one_ = false;
  bool loses_ = false;         // the change that is lost alone
  std::uint64_t changes_ = 0;  // that were asked for
  std::uint64_t at_risk_ = 0;
};

// Answers so again; where there is none, that nothing is lost.
crash_chooser chooser_of(crash_plan::answers given);

}  // namespace lockstep::sim
