#include <lockstep/explore/corpus.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>

namespace lockstep {

namespace {
constexpr std::uint64_t of_corpus = hash_of("lockstep: corpus");
}

void corpus_sampler::begin_run() {
  rest_->begin(seed_);
  present_.clear();
  std::fill(last_.begin(), last_.end(), 0);
  covered_before_ = covered_.size();
  follows_ = nullptr;
  // One in four begins anew.
  if (kept_.empty() || bounded(draw(seed_, of_corpus, 0), 4) == 0) return;
  follows_ = &kept_[static_cast<std::size_t>(bounded(draw(seed_, of_corpus, 1), kept_.size()))];
  follows_for_ = static_cast<std::size_t>(bounded(draw(seed_, of_corpus, 2), follows_->size() + 1));
}

std::size_t corpus_sampler::draw_task(const candidates& from) {
  std::size_t answer = rest_->draw_task(from);
  if (follows_ != nullptr && present_.size() < follows_for_) {
    answer = std::min<std::size_t>((*follows_)[present_.size()], from.size() - 1);
  }
  present_.push_back(static_cast<std::uint32_t>(answer));
  const candidate next = from[answer];
  if (next.object != 0) {
    const std::uint32_t object = objects_.of(next.object);
    if (object >= last_.size()) last_.resize(object + 1, 0);
    if (last_[object] != 0 && last_[object] != next.task) {
      covered_.insert(hash_of(hash_of(next.object, last_[object]), next.task));
    }
    last_[object] = next.task;
  }
  return answer;
}

bool corpus_sampler::end_run() {
  const bool is_new = covered_.size() != covered_before_;
  if (is_new && kept_.size() < kept_max) kept_.push_back(present_);
  return is_new;
}

}  // namespace lockstep
