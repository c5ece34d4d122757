#include <lockstep/adapters/loop_executor.hpp>

#include <lockstep/real/os_driver.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <chrono>
#include <memory>
#include <utility>
#include <variant>

namespace lockstep::detail {

// An io_context that can drop all that was begun there, and lives on for what refers to it.
class asio_home::own_context final : public boost::asio::io_context {
 public:
  own_context() : io_context(1) {}
  void end() { shutdown(); }
};

asio_home* asio_home::find() {
  for (run_listener& each : lockstep::detail::here().owner->run_listeners()) {
    if (auto* const found = dynamic_cast<asio_home*>(&each); found != nullptr) return found;
  }
  return nullptr;
}

std::shared_ptr<asio_home> asio_home::here() {
  asio_home* found = find();
  if (found == nullptr) {
    loop& owner = *lockstep::detail::here().owner;
    const auto made = std::make_shared<asio_home>(owner);
    found = made.get();
    found->kept_ = made;
    owner.run_listeners().push_back(*found);
    if (found->own_ != nullptr) owner.quiet_listeners().push_back(*found);
  }
  if (found->main_ == nullptr) found->main_ = first_ancestor(lockstep::detail::here().running);
  return found->kept_;
}

asio_home::asio_home(loop& of)
    : owner_(&of), run_(static_cast<const lockstep::detail::context&>(of).run), inbox_(of.home()) {
  auto* const on_system = dynamic_cast<real::os_driver*>(&of.driven_by());
  if (on_system == nullptr) own_ = std::make_unique<own_context>();
  context_ = on_system != nullptr ? &on_system->context() : own_.get();
}

asio_home::~asio_home() = default;

agent* asio_home::first_ancestor(agent* of) noexcept {
  while (of != nullptr && of->parent() != nullptr) of = of->parent();
  return of;
}

// In the name of a task, as calls are; where none runs, as in a handler of the io_context's, in that of the main one.
void asio_home::post(std::shared_ptr<scheduled_call> call) {
  const lockstep::detail::context* const found = current_context;
  if (found == nullptr || found->run != run_) {
    inbox_->post(run_, std::move(call));
    return;
  }
  if (owner_->tearing_down()) return;
  agent* poster = found->running != nullptr ? found->running : main_;
  while (poster != nullptr && poster->is_callback() && poster->parent() != nullptr) poster = poster->parent();
  if (poster == nullptr) {
    inbox_->post(run_, std::move(call));
    return;
  }
  note_begun();
  const loop_scope in_its_name(*owner_, poster);
  call->start(*owner_);
}

void asio_home::post(std::unique_ptr<posted> function) {
  auto call = [function = std::move(function)] { function->call(); };
  post(std::make_shared<call_of<decltype(call), std::monostate>>(std::move(call), source::current(), std::nullopt));
}

std::shared_ptr<const asio_work> asio_home::begin_work() {
  if (inbox_->on_its_thread()) note_begun();
  return std::make_shared<const asio_work>(inbox_);
}

// What a handler throws is the run's, as what a call throws.
template <class F>
void asio_home::let_handlers_run(F poll) noexcept {
  try {
    context_->restart();
    poll();
  } catch (...) {
    auto rethrow = [thrown = std::current_exception()] { std::rethrow_exception(thrown); };
    post(std::make_shared<call_of<decltype(rethrow), std::monostate>>(std::move(rethrow), source(), std::nullopt));
  }
}

// While something comes from outside, that may be what goes on in the io_context, or another thread may post it.
void asio_home::all_is_quiet() noexcept {
  constexpr auto another_thread_is_asked = std::chrono::milliseconds(1);
  let_handlers_run([this] { context_->poll(); });
  while (owner_->outside().in_flight != 0 && !context_->stopped() && owner_->quiet() && owner_->outside().empty()) {
    let_handlers_run([&] { context_->run_one_for(another_thread_is_asked); });
  }
  if (!owner_->outside().empty()) owner_->take_from_outside();
}

// What was begun there may own what is about to be missed, such as sockets.
void asio_home::tasks_have_gone() noexcept {
  main_ = nullptr;
  if (own_ != nullptr) own_->end();
}

void asio_home::run_ends(bool) noexcept {
  auto& as_quiet = static_cast<quiet_listener&>(*this);
  if (as_quiet.linked()) as_quiet.unlink();
  const std::shared_ptr<asio_home> alive = std::move(kept_);
}

}  // namespace lockstep::detail
