// A doubly linked list whose links live in its elements: no allocation, removal in constant time.
//
// An element derives from `list_hook<Tag>`, once for each list that it can be in. It is in at most one list per
// hook and must leave it before it dies. The list owns nothing.
#pragma once

#include <cstddef>
#include <utility>

namespace lockstep {

template <class Tag = void>
class list_hook {
 public:
  // Not in a list; linked() may be asked only after the first link or mark_unlinked().
  list_hook() noexcept {}
  list_hook(const list_hook&) = delete;
  list_hook& operator=(const list_hook&) = delete;

  bool linked() const noexcept { return next_ != nullptr; }

  void mark_unlinked() noexcept { next_ = nullptr; }

  // Leaves the list. Requires linked().
  void unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class intrusive_list;

  list_hook* previous_;
  list_hook* next_;
};

template <class T, class Tag = void>
class intrusive_list {
  using hook = list_hook<Tag>;

 public:
  intrusive_list() noexcept { reset(); }
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;

  bool empty() const noexcept { return ends_.next_ == &ends_; }
  T& front() noexcept { return element(ends_.next_); }
  T& back() noexcept { return element(ends_.previous_); }

  void push_back(T& item) noexcept { link(ends_.previous_, item, &ends_); }
  void push_front(T& item) noexcept { link(&ends_, item, ends_.next_); }

  // Requires that `item` is in this list.
  bool is_only(const T& item) const noexcept {
    const hook& at = item;
    return at.previous_ == at.next_;
  }

  T& pop_front() noexcept {
    T& item = front();
    static_cast<hook&>(item).unlink();
    return item;
  }

  // Takes all out and calls `use` with each, the first first. `use` may take out others that come later, and nothing
  // else.
  template <class F>
  void drain(const F& use) {
    hook* at = ends_.next_;
    if (at == &ends_) return;
    do {
      use(element(at));
      hook* const used = std::exchange(at, at->next_);
      used->next_ = nullptr;
    } while (at != &ends_);
    reset();
  }

  // Appends all of `other`, which is left empty.
  void splice_back(intrusive_list& other) noexcept {
    if (other.empty()) return;
    hook* first = other.ends_.next_;
    hook* last = other.ends_.previous_;
    first->previous_ = ends_.previous_;
    ends_.previous_->next_ = first;
    last->next_ = &ends_;
    ends_.previous_ = last;
    other.reset();
  }

  // Forgets its elements without touching them.
  void reset() noexcept { ends_.previous_ = ends_.next_ = &ends_; }

  std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const hook* at = ends_.next_; at != &ends_; at = at->next_) ++count;
    return count;
  }

  class iterator {
   public:
    explicit iterator(hook* at) noexcept : at_(at) {}
    T& operator*() const noexcept { return element(at_); }
    iterator& operator++() noexcept {
      at_ = at_->next_;
      return *this;
    }
    bool operator==(const iterator& other) const noexcept { return at_ == other.at_; }

   private:
    hook* at_;
  };
  iterator begin() noexcept { return iterator(ends_.next_); }
  iterator end() noexcept { return iterator(&ends_); }

 private:
  static T& element(hook* at) noexcept { return static_cast<T&>(*at); }
  static void link(hook* before, hook& item, hook* after) noexcept {
    item.previous_ = before;
    item.next_ = after;
    before->next_ = &item;
    after->previous_ = &item;
  }

  hook ends_;
};

}  // namespace lockstep
