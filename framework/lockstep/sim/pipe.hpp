// A pipe: two open files, one to read and one to write, and what lies between them.
//
// The capacity is counted in buffers of a page each, as Linux does: a write first fills the last buffer, if all that is
// over a whole number of pages fits there, and then takes new ones. So up to PIPE_BUF bytes are written whole or not
// at all, and a pipe that is full of short writes of 2049 bytes holds half of what one full of pages holds.
// With O_DIRECT each write makes packets, of a page at the most, and each read takes one.
// Source: pipe(2), pipe(7), fcntl(2); Linux's fs/pipe.c.
#pragma once

#include <lockstep/base/ring.hpp>
#include <lockstep/sim/byte_queue.hpp>
#include <lockstep/sim/open_file.hpp>
#include <lockstep/sim/pieces.hpp>

#include <cstdint>
#include <memory>

namespace lockstep::sim {

class pipe_end;

// What both ends share.
class pipe_buffers {
 public:
  static constexpr std::size_t page = 4096;

  explicit pipe_buffers(byte_memory& memory) noexcept : bytes_(memory) {}

  bool empty() const noexcept { return buffers_.empty(); }
  bool full() const noexcept { return buffers_.size() >= limit_; }
  std::size_t size() const noexcept { return bytes_.size(); }
  std::size_t capacity() const noexcept { return limit_ * page; }
  // As F_SETPIPE_SZ.
  int resize(std::int64_t bytes) noexcept;
  // How many bytes were written: as many as there is room for.
  std::size_t write(pieces& from, bool as_packets);
  std::size_t read(pieces& into) noexcept;

  pipe_end* reader = nullptr;
  pipe_end* writer = nullptr;

 private:
  struct buffer {
    std::uint32_t used = 0;  // of its page, with what was read already
    std::uint32_t size = 0;
    bool packet = false;
  };

  std::size_t limit_ = 16;
  byte_queue bytes_;
  ring<buffer> buffers_;
};

class pipe_end final : public open_file {
 public:
  // `id` is that of both ends.
  pipe_end(identity id, std::shared_ptr<pipe_buffers> between, int status_flags) noexcept;

  std::int64_t read(const iovec* into, int count) override;
  std::int64_t write(const iovec* from, int count) override;
  int ioctl(unsigned long request, void* argument) override;
  int control(int command, std::int64_t argument) override;
  unsigned ready() const noexcept override;
  std::string described() const override { return writes_ ? "writing end of a pipe" : "reading end of a pipe"; }

 private:
  ~pipe_end() override = default;
  void closed() noexcept override;
  void touch() const;

  std::shared_ptr<pipe_buffers> between_;
  bool writes_;
};

}  // namespace lockstep::sim
