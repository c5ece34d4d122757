#include <lockstep/sim/unix_socket.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <algorithm>

namespace lockstep::sim {

namespace {

constexpr int somaxconn = 4096;
constexpr std::size_t page = 4096;
// Of one message: what Linux puts into its block, and how many pages it may have.
constexpr std::size_t stream_block_max = page - 320;
constexpr std::size_t stream_pages_max = 32768;
constexpr std::size_t datagram_block_max = 4 * page - 320;
constexpr std::size_t datagram_pages_max = 17 * page;

bool is_path(const std::string& name) noexcept { return !name.empty() && name[0] != '\0'; }
std::string_view path_of(const std::string& name) noexcept { return std::string_view(name).substr(0, name.size() - 1); }

constexpr std::size_t whole_pages(std::size_t bytes) noexcept { return (bytes + page - 1) / page * page; }

}  // namespace

unix_socket::unix_socket(host& of, identity id, int type, int status_flags)
    : socket(id, status_flags), host_(of), type_(type), options_(socket_class::local, false),
      self_(std::make_shared<unix_party>()), bytes_(of.of().memory()) {
  list_hook<unix_space>::mark_unlinked();
  list_hook<unix_socket>::mark_unlinked();
  self_->id = id;
  self_->socket = this;
  of.unix_names().sockets().push_back(*this);
}

void unix_socket::touch() const { detail::touch(touched_id(), access::write); }

void unix_socket::pair(unix_socket& one, unix_socket& other) {
  other.self_->id = one.id();
  one.peer_ = other.self_;
  other.peer_ = one.self_;
  one.phase_ = other.phase_ = phase::connected;
  one.peer_credentials_ = other.peer_credentials_ = one.host_.credentials();
}

// -- names ------------------------------------------------------------------------------------------------------------

int unix_socket::bind(const sockaddr* address, socklen_t size) {
  touch();
  if (size == sizeof(sa_family_t) && address->sa_family == AF_UNIX) return bind_free_name();
  std::string name;
  if (const int failed = read_unix_name(address, size, name); failed != 0) return failed;
  if (is_path(name)) return bind_path(name);
  if (!self_->name.empty()) return -EINVAL;
  detail::touch(host_.unix_names_id(), access::write);
  if (const int failed = host_.unix_names().bind(type_, name, *this); failed != 0) return failed;
  self_->name = std::move(name);
  return 0;
}

int unix_socket::bind_free_name() {
  if (!self_->name.empty()) return 0;
  detail::touch(host_.unix_names_id(), access::write);
  std::string name = host_.unix_names().free_name(type_);
  host_.unix_names().bind(type_, name, *this);
  self_->name = std::move(name);
  return 0;
}

int unix_socket::bind_path(const std::string& name) {
  detail::touch(host_.names_id(), access::write);
  file_names& files = host_.files();
  inode_reference made;
  std::string own = name;
  constexpr mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;
  const int failed = files.make_node(files.working_directory(), path_of(name), S_IFSOCK | all, made);
  if (failed != 0) return failed == -EEXIST ? -EADDRINUSE : failed;
  if (!self_->name.empty()) {
    files.remove(files.working_directory(), path_of(name));
    return -EINVAL;
  }
  self_->name = std::move(own);
  node_ = std::move(made);
  node_->bound = this;
  return 0;
}

int unix_socket::find_other(const std::string& name, unix_socket*& found) const {
  if (is_path(name)) {
    detail::touch(host_.names_id(), access::read);
    file_names& files = host_.files();
    inode_reference node;
    const int failed = files.find_file(files.working_directory(), path_of(name), true, node);
    if (failed != 0) return failed;
    if (!files.may(*node, W_OK)) return -EACCES;
    found = node->bound;
  } else {
    detail::touch(host_.unix_names_id(), access::read);
    found = host_.unix_names().find(type_, name);
  }
  if (found == nullptr) return -ECONNREFUSED;
  return found->type_ == type_ ? 0 : -EPROTOTYPE;
}

int unix_socket::local_name(sockaddr* address, socklen_t* size) const {
  detail::touch(touched_id(), access::read);
  return write_unix_name(self_->name, address, size);
}

int unix_socket::peer_name(sockaddr* address, socklen_t* size) const {
  detail::touch(touched_id(), access::read);
  if (peer_ == nullptr) return -ENOTCONN;
  detail::touch(peer_->id, access::read);
  return write_unix_name(peer_->name, address, size);
}

std::string unix_socket::described() const {
  const char* const what = of_stream() ? "stream" : of_datagrams() ? "datagram" : "seqpacket";
  std::string text = fmt::format("{}unix {} socket", phase_ == phase::listening ? "listening " : "", what);
  const std::string& name = self_->name;
  if (name.empty()) return text;
  return is_path(name) ? fmt::format("{} {}", text, path_of(name)) : fmt::format("{} @{}", text, name.substr(1));
}

// -- connections ------------------------------------------------------------------------------------------------------

int unix_socket::listen(int backlog) {
  touch();
  if (of_datagrams()) return -EOPNOTSUPP;
  if (self_->name.empty() || phase_ == phase::connected) return -EINVAL;
  phase_ = phase::listening;
  backlog_ = static_cast<std::size_t>(backlog < 0 || backlog > somaxconn ? somaxconn : backlog);
  peer_credentials_ = host_.credentials();
  return 0;
}

int unix_socket::accept(file_reference& made) {
  touch();
  if (of_datagrams()) return -EOPNOTSUPP;
  if (phase_ != phase::listening) return -EINVAL;
  if (pending_.empty()) return -EAGAIN;
  made = pending_.front();
  pending_.erase(pending_.begin());
  unix_socket& accepted = *made->as_unix();
  accepted.touch();
  accepted.embryo_ = false;
  return 0;
}

int unix_socket::connect(const sockaddr* address, socklen_t size) {
  touch();
  if (of_datagrams()) return connect_datagrams(address, size);
  std::string name;
  if (const int failed = read_unix_name(address, size, name); failed != 0) return failed;
  if (options_.on(option::pass_credentials)) bind_free_name();
  return connect_to_listener(name);
}

int unix_socket::connect_to_listener(const std::string& name) {
  unix_socket* other = nullptr;
  if (const int failed = find_other(name, other); failed != 0) return failed;
  other->touch();
  if (other->phase_ != phase::listening || (other->shut_ & reads) != 0) return -ECONNREFUSED;
  if (other->pending_.size() > other->backlog_) return -EAGAIN;
  if (phase_ != phase::fresh) return phase_ == phase::connected ? -EISCONN : -EINVAL;
  const identity both = roll(id(), connections_++);
  auto* const made = new unix_socket(host_, both, type_, O_RDWR);
  other->pending_.emplace_back(made);
  made->embryo_ = true;
  made->options_.inherit(other->options_, option::pass_credentials);
  made->phase_ = phase_ = phase::connected;
  made->self_->name = other->self_->name;
  made->peer_ = self_;
  made->peer_credentials_ = host_.credentials();
  peer_ = made->self_;
  peer_credentials_ = other->peer_credentials_;
  self_->id = both;
  touch();
  other->notify(POLLIN | POLLPRI);
  return 0;
}

bool unix_socket::may_be_sent_to_by(const unix_socket& sender) const noexcept {
  return peer_ == nullptr || peer_ == sender.self_;
}

// Two that are connected to each other are held back by the sender's buffer only.
bool unix_socket::full_for(const unix_socket& sender) const noexcept {
  return this != &sender && peer_ != sender.self_ && message_count_ > backlog_;
}

int unix_socket::connect_datagrams(const sockaddr* address, socklen_t size) {
  if (size < sizeof(sa_family_t)) return -EINVAL;
  std::shared_ptr<unix_party> now;
  if (address->sa_family != AF_UNSPEC) {
    std::string name;
    if (const int failed = read_unix_name(address, size, name); failed != 0) return failed;
    if (options_.on(option::pass_credentials)) bind_free_name();
    unix_socket* other = nullptr;
    if (const int failed = find_other(name, other); failed != 0) return failed;
    other->touch();
    if (!other->may_be_sent_to_by(*this)) return -EPERM;
    now = other->self_;
  }
  const std::shared_ptr<unix_party> old = std::exchange(peer_, now);
  if (list_hook<unix_socket>::linked()) list_hook<unix_socket>::unlink();
  if (old != nullptr) {
    state_changed();
    if (old != now) disconnected_from(old);
  }
  return 0;
}

// What it has not read is lost, and its peer is told, if that was connected to it.
void unix_socket::disconnected_from(const std::shared_ptr<unix_party>& old) noexcept {
  if (messages_.empty()) return;
  while (!messages_.empty()) drop_first();
  unix_socket* const other = old->socket;
  if (other == nullptr || other->peer_ != self_) return;
  other->touch();
  other->error_ = ECONNRESET;
  other->notify(POLLERR);
}

int unix_socket::shutdown(int how) {
  touch();
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  const unsigned ways = static_cast<unsigned>(how) + 1;
  shut_ |= ways;
  state_changed();
  if (of_datagrams() || peer_ == nullptr || peer_->socket == nullptr) return 0;
  peer_->socket->shut_ |= ((ways & reads) != 0 ? writes : 0) | ((ways & writes) != 0 ? reads : 0);
  peer_->socket->state_changed();
  return 0;
}

// As if the peer had closed without reading all, and this end as well; what was not read is lost.
void unix_socket::break_off(int error) {
  touch();
  const std::shared_ptr<unix_party> peer = peer_;
  unix_socket* const ends[] = {this, peer != nullptr ? peer->socket : nullptr};
  for (unix_socket* const each : ends) {
    if (each == nullptr) continue;
    each->shut_ = reads | writes;
    each->error_ = each == this ? error : ECONNRESET;
    while (!each->messages_.empty()) each->drop_first();
    each->state_changed();
  }
}

void unix_socket::closed() noexcept {
  touch();
  list_hook<unix_space>::unlink();
  if (list_hook<unix_socket>::linked()) list_hook<unix_socket>::unlink();
  self_->socket = nullptr;
  if (node_) {
    detail::touch(host_.names_id(), access::write);
    node_->bound = nullptr;
  } else if (!self_->name.empty() && host_.unix_names().find(type_, self_->name) == this) {
    detail::touch(host_.unix_names_id(), access::write);
    host_.unix_names().unbind(type_, self_->name);
  }
  if (!of_datagrams() && peer_ != nullptr && peer_->socket != nullptr) {
    unix_socket& other = *peer_->socket;
    other.shut_ = reads | writes;
    const bool first_is_empty = !messages_.empty() && messages_.front().size == 0;  // Linux looks at the next one then
    if (message_count_ > (first_is_empty ? 1 : 0) || embryo_) other.error_ = ECONNRESET;
    other.state_changed();
  }
  while (!messages_.empty()) drop_first();
  pending_.clear();
  while (!wait_for_room_.empty()) wait_for_room_.pop_front().notify(POLLOUT);
  host_.unix_names().collect();
}

void unix_socket::give_up_messages(unix_message_list& to) noexcept {
  to.splice_back(messages_);
  message_count_ = 0;
  bytes_.drop_front(bytes_.size());
}

// -- sending ----------------------------------------------------------------------------------------------------------

bool unix_socket::writable() const noexcept {
  return phase_ != phase::listening &&
         4 * (self_->queued + 1) <= static_cast<std::uint64_t>(options_[option::send_buffer]);
}

void unix_socket::has_room() noexcept {
  if (writable()) notify(POLLOUT);
}

int unix_socket::may_allocate() noexcept {
  if (error_ != 0) return -take_error();
  if ((shut_ & writes) != 0) return -EPIPE;
  return self_->queued < static_cast<std::uint64_t>(options_[option::send_buffer]) ? 0 : -EAGAIN;
}

void unix_socket::put(unix_socket& to, pieces& from, std::size_t size, std::uint64_t memory, unix_ancillary& with) {
  auto made = std::make_unique<unix_message>();
  to.bytes_.reserve(size);
  from.take(size, [&to](std::span<std::byte> part) { to.bytes_.push(part); });
  made->from = self_;
  made->on = &host_;
  made->size = size;
  made->memory = memory;
  made->with.files = std::exchange(with.files, {});
  made->with.sender = with.sender;
  const bool asked_for =
      options_.on(option::pass_credentials) || to.options_.on(option::pass_credentials) || to.embryo_;
  if (made->with.sender.pid == 0 && asked_for) made->with.sender = host_.credentials();
  if (!made->with.files.empty()) host_.unix_names().count_flight(1);
  self_->queued += memory;
  to.messages_.push_back(*made.release());
  ++to.message_count_;
}

std::int64_t unix_socket::send(const iovec* from, int count, int flags, const msghdr* rest) {
  touch();
  if (type_ == SOCK_SEQPACKET) {
    if (error_ != 0) return -take_error();
    if (phase_ != phase::connected) return -ENOTCONN;
  }
  unix_ancillary with;
  if (rest != nullptr) {
    if (const int failed = read_control(host_, *rest, with); failed != 0) return failed;
  }
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  pieces what(from, count);
  return of_stream() ? send_stream(what, flags, rest, with) : send_message(what, flags, rest, with);
}

std::int64_t unix_socket::send_stream(pieces& from, int, const msghdr* rest, unix_ancillary& with) {
  if (rest != nullptr && rest->msg_namelen != 0) return phase_ == phase::connected ? -EISCONN : -EOPNOTSUPP;
  if (peer_ == nullptr) return -ENOTCONN;
  if ((shut_ & writes) != 0) return -EPIPE;
  const auto buffer = static_cast<std::size_t>(options_[option::send_buffer]);
  std::size_t sent = 0;
  int failed = 0;
  while (from.left() != 0) {
    failed = may_allocate();
    if (failed != 0) break;
    unix_socket* const to = peer_->socket;
    if (to == nullptr || (to->shut_ & reads) != 0) {
      failed = -EPIPE;
      has_room();  // the memory that was allocated is free again
      break;
    }
    const std::size_t size = std::min({from.left(), buffer / 2 - 64, stream_block_max + stream_pages_max});
    const std::size_t over = size > stream_block_max ? size - stream_block_max : 0;
    const std::size_t in_pages = std::min(size, whole_pages(over));
    put(*to, from, size, message_memory(size, in_pages), with);
    sent += size;
  }
  if (sent != 0 && peer_->socket != nullptr) peer_->socket->notify(POLLIN | POLLPRI);
  return sent != 0 ? static_cast<std::int64_t>(sent) : failed;
}

int unix_socket::find_receiver(const std::string& name, unix_socket*& to) {
  if (!name.empty()) {
    if (const int failed = find_other(name, to); failed != 0) return failed;
  } else {
    if (peer_ == nullptr) return -ENOTCONN;
    detail::touch(peer_->id, access::write);
    to = peer_->socket;
  }
  if (to == nullptr) {
    if (!of_datagrams()) return -EPIPE;
    disconnected_from(std::exchange(peer_, nullptr));
    return -ECONNREFUSED;
  }
  to->touch();
  if (!to->may_be_sent_to_by(*this)) return -EPERM;
  if ((to->shut_ & reads) != 0) return -EPIPE;
  return to->full_for(*this) ? -EAGAIN : 0;
}

std::int64_t unix_socket::send_message(pieces& from, int, const msghdr* rest, unix_ancillary& with) {
  std::string name;
  if (of_datagrams() && rest != nullptr && rest->msg_namelen != 0) {
    const auto* const address = static_cast<const sockaddr*>(rest->msg_name);
    if (const int failed = read_unix_name(address, rest->msg_namelen, name); failed != 0) return failed;
  }
  if (options_.on(option::pass_credentials)) bind_free_name();
  const std::size_t size = from.left();
  if (size > static_cast<std::size_t>(options_[option::send_buffer]) - 32) return -EMSGSIZE;
  if (const int failed = may_allocate(); failed != 0) return failed;
  unix_socket* to = nullptr;
  if (const int failed = find_receiver(name, to); failed != 0) {
    has_room();  // the memory that was allocated is free again
    return failed;
  }
  const std::size_t over = size > datagram_block_max ? size - datagram_block_max : 0;
  const std::size_t in_pages = whole_pages(std::min(over, datagram_pages_max));
  put(*to, from, size, message_memory(size, std::min(size, in_pages)), with);
  to->notify(POLLIN | POLLPRI);
  return static_cast<std::int64_t>(size);
}

// -- receiving --------------------------------------------------------------------------------------------------------

void unix_socket::drop_first() noexcept {
  unix_message& first = messages_.pop_front();
  --message_count_;
  bytes_.drop_front(first.size);
  unix_message::drop(first);
}

void unix_socket::take_files(unix_message& from, bool peeks, unix_ancillary& with) {
  if (from.with.files.empty()) return;
  if (peeks) {
    with.files = from.with.files;
  } else {
    with.files = std::exchange(from.with.files, {});
    host_.unix_names().count_flight(-1);
  }
}

void unix_socket::copy_name(const unix_message& from, msghdr* rest) const noexcept {
  if (rest == nullptr || rest->msg_name == nullptr) return;
  const std::string& name = from.from->name;
  if (name.empty()) {
    rest->msg_namelen = 0;
  } else {
    write_unix_name(name, static_cast<sockaddr*>(rest->msg_name), &rest->msg_namelen);
  }
}

std::int64_t unix_socket::read(const iovec* into, int count) {
  return size_of(into, count) == 0 ? 0 : receive(into, count, 0, nullptr);
}

std::int64_t unix_socket::receive(const iovec* into, int count, int flags, msghdr* rest) {
  touch();
  unix_ancillary with;
  pieces to(into, count);
  if (rest != nullptr) rest->msg_flags = flags & MSG_CMSG_CLOEXEC;
  const bool at_end = messages_.empty();
  const std::int64_t got = of_stream() ? receive_stream(to, flags, rest, with) : receive_message(to, flags, rest, with);
  if (got < 0 || rest == nullptr) return got;
  if (at_end) with.sender = {};
  if (at_end && !of_stream()) {
    rest->msg_controllen = 0;
  } else {
    write_control(host_, *rest, with, options_.on(option::pass_credentials));
  }
  return got;
}

std::int64_t unix_socket::receive_stream(pieces& into, int flags, msghdr* rest, unix_ancillary& with) {
  if (phase_ != phase::connected) return -EINVAL;
  if ((flags & MSG_OOB) != 0) return -EINVAL;
  if (messages_.empty()) {
    if (error_ != 0) return -take_error();
    if ((shut_ & reads) == 0) return -EAGAIN;
    if (rest != nullptr && rest->msg_name != nullptr) rest->msg_namelen = 0;
    return 0;
  }
  const bool peeks = (flags & MSG_PEEK) != 0;
  const bool by_sender = options_.on(option::pass_credentials);
  std::size_t taken = 0;
  const std::size_t whole = into.left();
  with.sender = messages_.front().with.sender;
  copy_name(messages_.front(), rest);
  for (auto at = messages_.begin(); at != messages_.end();) {
    unix_message& each = *at;
    ++at;
    if (by_sender && !each.with.same_sender(with)) break;
    const std::size_t part = std::min(each.size, into.left());
    std::size_t skipped = peeks ? taken : 0;
    into.take(part, [&](std::span<std::byte> to) {
      bytes_.peek(to, skipped);
      skipped += to.size();
    });
    taken += part;
    take_files(each, peeks, with);
    if (!peeks) {
      bytes_.drop_front(part);
      each.size -= part;
      if (each.size != 0) break;
      drop_first();
    }
    // Who peeks is shown the descriptors of what comes next too, as on Linux.
    if (!with.files.empty() || (!peeks && into.left() == 0)) break;
    // It looks for more, and finds what ends the connection.
    const auto least = static_cast<std::size_t>(options_[option::receive_low_water]);
    const bool wants_more = taken < ((flags & MSG_WAITALL) != 0 ? whole : std::min(least, whole));
    if (at == messages_.end() && wants_more) take_error();
  }
  return static_cast<std::int64_t>(taken);
}

std::int64_t unix_socket::receive_message(pieces& into, int flags, msghdr* rest, unix_ancillary& with) {
  if (type_ == SOCK_SEQPACKET && phase_ != phase::connected) return -ENOTCONN;
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  if (error_ != 0) return -take_error();
  if (messages_.empty()) {
    if (of_datagrams() || (shut_ & reads) == 0) return -EAGAIN;
    if (rest != nullptr && rest->msg_name != nullptr) rest->msg_namelen = 0;
    return 0;
  }
  unix_message& first = messages_.front();
  const std::size_t whole = first.size;
  const std::size_t part = std::min(whole, into.left());
  std::size_t skipped = 0;
  into.take(part, [&](std::span<std::byte> to) {
    bytes_.peek(to, skipped);
    skipped += to.size();
  });
  with.sender = first.with.sender;
  copy_name(first, rest);
  if (rest != nullptr && part < whole) rest->msg_flags |= MSG_TRUNC;
  const bool peeks = (flags & MSG_PEEK) != 0;
  take_files(first, peeks, with);
  if (!peeks) {
    drop_first();
    while (!wait_for_room_.empty() && message_count_ <= backlog_) wait_for_room_.pop_front().notify(POLLOUT);
  }
  return static_cast<std::int64_t>((flags & MSG_TRUNC) != 0 ? whole : part);
}

// -- readiness and options --------------------------------------------------------------------------------------------

unsigned unix_socket::ready() const noexcept {
  unsigned is = error_ != 0 ? POLLERR : 0u;
  if (shut_ == (reads | writes)) is |= POLLHUP;
  if ((shut_ & reads) != 0) is |= POLLIN | POLLRDHUP;
  if (!messages_.empty() || !pending_.empty()) is |= POLLIN;
  if (!of_datagrams() && phase_ == phase::fresh) is |= POLLHUP;
  if (!writable()) return is;
  unix_socket* const to = of_stream() || peer_ == nullptr ? nullptr : peer_->socket;
  if (to != nullptr) detail::touch(to->touched_id(), access::read);
  if (to == nullptr || !to->full_for(*this)) return is | POLLOUT;
  if (!list_hook<unix_socket>::linked()) to->wait_for_room_.push_back(const_cast<unix_socket&>(*this));
  return is;
}

int unix_socket::ioctl(unsigned long request, void* argument) {
  touch();
  std::size_t is = 0;
  if (request == FIONREAD) {
    if (phase_ == phase::listening) return -EINVAL;
    is = of_datagrams() ? (messages_.empty() ? 0 : messages_.front().size) : bytes_.size();
  } else if (request == SIOCOUTQ) {
    is = self_->queued;
  } else {
    return -ENOTTY;
  }
  *static_cast<int*>(argument) = static_cast<int>(is);
  return 0;
}

int unix_socket::get_option(int level, int name, void* value, socklen_t* size) {
  touch();
  const auto number = [&](int is) { return write_option(&is, sizeof is, value, size); };
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_ERROR: return number(take_error());
      case SO_TYPE: return number(type_);
      case SO_DOMAIN: return number(AF_UNIX);
      case SO_PROTOCOL: return number(0);
      case SO_ACCEPTCONN: return number(phase_ == phase::listening ? 1 : 0);
      case SO_PEERCRED: return write_option(&peer_credentials_, sizeof peer_credentials_, value, size);
      default: break;
    }
  }
  return options_.get(level, name, value, size);
}

int unix_socket::set_option(int level, int name, const void* value, socklen_t size) {
  touch();
  const int done = options_.set(level, name, value, size);
  if (done == 0 && level == SOL_SOCKET && name == SO_SNDBUF) has_room();
  return done;
}

}  // namespace lockstep::sim
