// The packets of a network in a file, for Wireshark and tshark.
//
//   const capture everything("run.pcapng");
//   const capture at_web("web.pcapng", "web");
//
// Of the whole network, each packet is in it once, as it is sent, on an interface for each pair of hosts; a packet that
// does not come has a comment that says why, and what is sent again is there again. Of one host it is what tcpdump
// would show there: what it sends, and what comes.
// Times are those of the world's wall clock. The file is complete when the capture dies.
// Acknowledgements take no time here, as nowhere in this kernel: they come when what they acknowledge comes.
// Source: draft-ietf-opsawg-pcapng, with LINKTYPE_RAW.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/sim/wire.hpp>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

namespace sim {
class network;
}

class capture final : private sim::traffic_listener {
 public:
  // Begins with what is sent from now on. A file of that name is replaced. Throws std::system_error if it cannot be
  // made; misuse if there is no such host. What cannot be written later, as the disk is full, is missing.
  explicit capture(const std::string& path, source where = source::current());
  capture(const std::string& path, std::string_view host, source where = source::current());
  // For a world that is not this thread's.
  capture(const std::string& path, sim::network& of, const sim::host* at = nullptr);
  capture(const capture&) = delete;
  capture& operator=(const capture&) = delete;
  ~capture();

  // How many there are so far.
  std::uint64_t packets() const noexcept {
    detail::touch(everything, access::write);
    return packets_;
  }
  // Of all of them, with their times: the same of two runs that sent the same.
  std::uint64_t hash() const noexcept {
    detail::touch(everything, access::write);
    return hash_;
  }

 private:
  struct close_file {
    void operator()(std::FILE* of) const noexcept { std::fclose(of); }
  };

  void saw(const sim::traffic& packet) noexcept override;
  std::uint32_t interface_of(const sim::traffic& packet);
  void write(std::uint32_t interface, const sim::wire_bytes& packet, const std::string& comment) const;
  void write(const sim::wire_bytes& block) const;

  std::unique_ptr<std::FILE, close_file> file_;
  sim::network* of_;
  const sim::host* at_;
  sim::wire_format format_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> interfaces_;  // by the numbers of the hosts
  std::uint64_t packets_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace lockstep
