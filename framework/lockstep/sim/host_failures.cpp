// How a host fails: its power is cut, its process is killed, its tasks stand still.
#include <lockstep/sim/host.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/sim/event_files.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::sim {

void host::buffers(int send_bytes, int receive_bytes, source where) {
  if (send_bytes < 1 || receive_bytes < 1) network_->owner().misused("a buffer holds 1 byte at least", where);
  detail::touch(id_, access::write);
  buffers_ = {send_bytes, receive_bytes};
}

std::vector<agent*> host::tasks() const {
  std::vector<agent*> own;
  for (agent* who : network_->owner().alive()) {
    const detail::bound_values* const values = who->values();
    if (values == nullptr || who->id() == main_identity) continue;
    const auto found = std::find_if(values->begin(), values->end(), [](const detail::bound_value& each) {
      return each.variable == &detail::system_of_task;
    });
    if (found == values->end()) continue;
    if (*static_cast<system_calls* const*>(found->value.get()) == this) own.push_back(who);
  }
  return own;
}

void host::crash(source where) {
  if (!down_) end_life("crashed", true, where);
}

void host::kill(source where) {
  if (!down_) end_life("was killed", false, where);
}

// No call does anything from now on, as there are no descriptors, and no room for any.
void host::end_life(const char* how, bool power_cut, source where) {
  const sparing_allocations of_the_failure;
  loop& owner = network_->owner();
  if (this == &network_->first_host()) {
    owner.misused(fmt::format("host \"{}\" runs the test itself; let another one fail", name_), where);
  }
  owner.note("host", fmt::format("\"{}\" {}", name_, how));
  descriptor_table lost(table_.id());
  lost.set_limit(table_.limit());
  lost.set_files_max(table_.files_max());
  std::swap(lost, table_);
  for (const descriptor_table::slot& each : lost.slots()) drop_locks(each.file);
  if (limit_of_life_ == 0) limit_of_life_ = lost.limit();
  table_.set_limit(0);
  if (power_cut) {
    network_->isolate(*this, true);
    down_ = true;
    vanish();
    ports().forget_kept(time_point::max());
  }
  const label reason(fmt::format("host \"{}\" {}", name_, how));
  std::vector<agent*> own = tasks();
  for (agent* const who : own) loop::retain(*who);
  while (!own.empty()) {
    agent& youngest = *own.back();
    own.pop_back();
    owner.strike(youngest, reason);
    if (!youngest.finished()) {  // it is running
      owner.freeze(youngest);
      dead_.push_back(&youngest);
    } else {
      loop::release(youngest);
    }
  }
  if (name_service* const names = network_->names()) names->host_ends(*this, power_cut);
  if (dead_.empty()) {
    bury();
  } else if (!burial_.armed()) {
    owner.timers().arm(burial_, owner.now());
  }
  if (power_cut && files_ != nullptr) {
    lost = descriptor_table(table_.id());
    lose_memory();
  }
  detail::touch(everything, access::write);
}

std::vector<crash_image> host::crash_images(std::size_t images_max, source where) {
  return plain_files(*this, where).crash_images(images_max);
}

// What the disks had not yet is kept or lost: each a pick, of a domain that is the host's own.
crash_chooser host::picks_of_power_cuts() {
  return [this, domain = choice_domain(fmt::format("power cut of {}", name_))](
             std::string_view, std::uint64_t options) { return network_->owner().pick(domain, options); };
}

void host::lose_memory() {
  loop& owner = network_->owner();
  if (disk_clock_ != nullptr) set_pace(disk_clock_->pace());
  std::vector<std::string> lost;
  files_->lose_power(picks_of_power_cuts(), owner.takes_notes() ? &lost : nullptr);
  for (const std::string& each : lost) owner.note("disk", fmt::format("\"{}\" lost: {}", name_, each));
}

void host::vanish() {
  std::vector<tcp_connection*> own;
  for (tcp_connection& each : network_->connections()) {
    if (each.client().where() == this || each.server().where() == this) own.push_back(&each);
  }
  for (tcp_connection* const each : own) {
    const tcp_connection::keeper alive(*each);
    if (each->client().where() == this) each->client().vanish();
    if (each->server().where() == this) each->server().vanish();
  }
}

void host::bury() noexcept {
  loop& owner = network_->owner();
  const label reason(fmt::format("host \"{}\" failed", name_));
  for (agent* const who : std::exchange(dead_, {})) {
    owner.strike(*who, reason);
    if (who->finished()) {
      loop::release(*who);
    } else {  // it is running still, and begins the new life
      dead_.push_back(who);
    }
  }
  if (!dead_.empty() && !burial_.armed()) owner.timers().arm(burial_, owner.now());
  if (!down_ && limit_of_life_ != 0) table_.set_limit(std::exchange(limit_of_life_, 0));
}

void host::begin_life(source where) {
  kill(where);
  paused_ = false;
  if (std::exchange(down_, false)) network_->isolate(*this, false);
  bury();
  if (files_ != nullptr) files_->process_begins();
  network_->owner().note("host", fmt::format("\"{}\" begins again", name_));
  if (name_service* const names = network_->names()) names->host_begins(*this);
}

void host::pause() {
  detail::touch(everything, access::write);
  paused_ = true;
  for (agent* const who : tasks()) freeze(*who);
}

void host::resume() {
  detail::touch(everything, access::write);
  paused_ = false;
  for (agent* const who : tasks()) network_->owner().thaw(*who);
  if (name_service* const names = network_->names()) names->host_resumes(*this);
}

void host::refuse_down(source where) const {
  network_->owner().misused(fmt::format("host \"{}\" is down, and runs nothing until restart()", name_), where);
}

void host::freeze(agent& who) noexcept { network_->owner().freeze(who); }

// No timer fires any more.
void host::tasks_have_gone() noexcept {
  for (timer_file& each : timer_files_) each.stop();
  if (burial_.armed()) network_->owner().timers().disarm(burial_);
  for (agent* const who : std::exchange(dead_, {})) loop::release(*who);
}

}  // namespace lockstep::sim
