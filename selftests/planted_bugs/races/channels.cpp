// Races around channels and broadcasts.
#include "races.hpp"

#include <lockstep/lockstep.hpp>

namespace lockstep::planted {
namespace {

// -- both_send_first: two agree by a flag who sends first, and both look at it before one has set it ------------------

struct handshake {
  channel<int> there{"there"};
  channel<int> back{"back"};
  mutex log{"log"};
  bool begun = false;
};

template <bool Fixed>
task<void> shake(handshake& of) {
  const bool first = !of.begun;
  if (Fixed) of.begun = true;
  co_await visit(of.log);
  of.begun = true;
  if (first) {
    co_await of.there.send(1);
    co_await of.back.receive();
  } else {
    co_await of.there.receive();
    co_await of.back.send(2);
  }
}

template <bool Fixed>
task<void> both_send_first() {
  handshake hands;
  co_await when_all(shake<Fixed>(hands), shake<Fixed>(hands));
}

// -- reply_of_another: two clients get their replies from one queue, and the first there gets the first reply ---------

struct shared_line {
  channel<int> requests{"requests"};
  queue<int> replies[2];
};

template <bool Fixed>
task<void> ask(shared_line& of, int number) {
  co_await of.requests.send(number);
  const int reply = co_await of.replies[Fixed ? number : 0].get();
  require(reply == number, "the reply of another");
}

template <bool Fixed>
task<void> answer_two(shared_line& of) {
  for (int i = 0; i < 2; ++i) {
    const int number = co_await of.requests.receive();
    co_await of.replies[Fixed ? number : 0].put(number);
  }
}

template <bool Fixed>
task<void> reply_of_another() {
  shared_line line;
  co_await when_all(answer_two<Fixed>(line), ask<Fixed>(line, 0), ask<Fixed>(line, 1));
}

// -- late_subscriber: a price is read, and changes before the subscription to its changes begins ----------------------

struct ticker {
  broadcast<int> changes{4, overflow::wait, "changes"};
  mutex wire{"wire"};
  int price = 0;
};

template <bool Fixed>
task<void> follow(ticker& from, int& seen) {
  subscription<int> changes = from.changes.subscribe();
  seen = from.price;
  co_await visit(from.wire);
  if (!Fixed) changes = from.changes.subscribe();
  while (!from.changes.closed() || changes.backlog() > 0) {
    try {
      seen = co_await changes.receive();
    } catch (const channel_closed&) {
    }
  }
}

task<void> change_price(ticker& of) {
  co_await visit(of.wire);
  of.price = 1;
  co_await of.changes.send(1);
  of.changes.close();
}

template <bool Fixed>
task<void> late_subscriber() {
  ticker prices;
  int seen = -1;
  co_await when_all(follow<Fixed>(prices, seen), change_price(prices));
  require(seen == prices.price, "missed a change");
}

}  // namespace

std::span<const planted_race> channel_races() {
  static constexpr planted_race races[] = {
      {"both_send_first", "two agree by a flag who sends first, and both look at it before one has set it",
       deadlock_text, true, 1, both_send_first<false>, both_send_first<true>},
      {"reply_of_another", "two clients get their replies from one queue, and the first there gets the first reply",
       "the reply of another", false, 1, reply_of_another<false>, reply_of_another<true>},
      {"late_subscriber", "a price is read, and changes before the subscription to its changes begins",
       "missed a change", false, 1, late_subscriber<false>, late_subscriber<true>},
  };
  return races;
}

}  // namespace lockstep::planted
