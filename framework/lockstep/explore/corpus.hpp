// Coverage-guided sampling: runs that show something new are kept, and others are made of their beginnings.
//
// What is covered are pairs: on one object, that task right after this one. A run that shows a new pair is kept as its
// answers; the next ones take the beginning of one that is kept, of a drawn length, and go on as `pos` does.
// Source: the corpus of American Fuzzy Lop; pairs as in Wen et al., "Controlled concurrency testing via periodical
// scheduling", ICSE 2022.
#pragma once

#include <lockstep/explore/numbering.hpp>
#include <lockstep/explore/sampling.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace lockstep {

class corpus_sampler final : public sampling_oracle {
 public:
  static constexpr std::size_t kept_max = 1000;

  explicit corpus_sampler(const profile& known) : sampling_oracle(known), rest_(make_sampler(sampler::pos, known)) {}

  // After each run: whether it has shown a new pair.
  bool end_run();
  std::size_t draw_task(const candidates& from) override;

  std::size_t covered() const noexcept { return covered_.size(); }
  std::size_t kept() const noexcept { return kept_.size(); }

 private:
  void begin_run() override;

  using answers = std::vector<std::uint32_t>;

  std::unique_ptr<sampling_oracle> rest_;
  std::vector<answers> kept_;
  std::set<std::uint64_t> covered_;
  std::size_t covered_before_ = 0;
  detail::numbering objects_;
  std::vector<identity> last_;  // to touch each object, in this run
  answers present_;
  const answers* follows_ = nullptr;
  std::size_t follows_for_ = 0;
};

}  // namespace lockstep
