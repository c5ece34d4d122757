// Our client on Python's server, and our server on Python's client, over the loopback of the machine. Needs python3.
#include "../net/in_both_worlds.hpp"

#include <lockstep/http/client.hpp>
#include <lockstep/http/server.hpp>
#include <lockstep/runtime/run_blocking.hpp>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace lockstep::http {
namespace {

using testing::HasSubstr;

// A program that is being run; what it prints comes out of it.
class python {
 public:
  explicit python(const std::string& program)
      : pipe_(::popen(("exec python3 -c '" + program + "' 2>&1").c_str(), "r")) {}
  python(const python&) = delete;
  python& operator=(const python&) = delete;
  ~python() { ::pclose(pipe_); }

  std::string line() {
    std::array<char, 256> text{};
    return std::fgets(text.data(), text.size(), pipe_) != nullptr ? std::string(text.data()) : std::string();
  }
  std::string rest() {
    std::string all;
    for (std::string next = line(); !next.empty(); next = line()) all += next;
    return all;
  }

 private:
  FILE* pipe_;
};

template <class F>
void for_real(F body) {
  real::world world;
  world.run([&body]() -> task<void> { co_await body(); });
  for (const verdict& each : world.verdicts()) ADD_FAILURE() << each.message;
}

// Ends by itself after so many requests.
TEST(HttpPythonTest, OurClientUnderstandsItsServer) {
  python server(
      "import http.server\n"
      "class Handler(http.server.BaseHTTPRequestHandler):\n"
      "  protocol_version = \"HTTP/1.1\"\n"
      "  def log_message(self, *_): pass\n"
      "  def do_GET(self):\n"
      "    self.send_response(200)\n"
      "    if self.path == \"/chunks\":\n"
      "      self.send_header(\"Transfer-Encoding\", \"chunked\")\n"
      "      self.end_headers()\n"
      "      self.wfile.write(b\"3\\r\\none\\r\\n4\\r\\n two\\r\\n0\\r\\n\\r\\n\")\n"
      "    elif self.path == \"/end\":\n"
      "      self.send_header(\"Connection\", \"close\")\n"
      "      self.end_headers()\n"
      "      self.wfile.write(b\"to the end\")\n"
      "    else:\n"
      "      self.send_header(\"Content-Length\", \"5\")\n"
      "      self.end_headers()\n"
      "      self.wfile.write(b\"plain\")\n"
      "  def do_POST(self):\n"
      "    body = self.rfile.read(int(self.headers[\"Content-Length\"]))\n"
      "    self.send_response(201)\n"
      "    self.send_header(\"Content-Length\", str(len(body)))\n"
      "    self.end_headers()\n"
      "    self.wfile.write(body)\n"
      "server = http.server.HTTPServer((\"127.0.0.1\", 0), Handler)\n"
      "print(server.server_port, flush=True)\n"
      "server.handle_request()\n");
  const std::string at = "http://127.0.0.1:" + std::to_string(std::stoi(server.line()));
  for_real([&at]() -> task<void> {
    client one;
    EXPECT_EQ((co_await one.get(at + "/")).body, "plain");
    EXPECT_EQ((co_await one.get(at + "/chunks")).body, "one two");
    EXPECT_EQ((co_await one.post(at + "/", "apple")).body, "apple");
    const request waiting{"POST", {}, "waits", {{"Expect", "100-continue"}}};
    const response come = co_await one.send(at + "/", waiting);
    EXPECT_EQ(come.body, "waits");
    EXPECT_EQ(one.idle_connections(), 1U);
    EXPECT_EQ((co_await one.get(at + "/end")).body, "to the end");
    EXPECT_EQ(one.idle_connections(), 0U);
  });
  EXPECT_EQ(server.rest(), "");
}

TEST(HttpPythonTest, ItsClientUnderstandsOurServer) {
  for_real([]() -> task<void> {
    server web;
    tcp_listener listener = listener_on_loopback();
    const std::string port = std::to_string(listener.local().port());
    const auto answer = [](request what) -> task<response> {
      response made{what.path() == "/none" ? 404U : 200U, what.method + " " + what.target + " " + what.body};
      if (what.path() == "/chunks") made.headers.add("Transfer-Encoding", "chunked");
      co_return made;
    };
    auto running = spawn(web.run(std::move(listener), answer), "web");
    const auto run_client = [port] {
      python client(
          "import http.client\n"
          "import urllib.request\n"
          "c = http.client.HTTPConnection(\"127.0.0.1\", " +
          port +
          ")\n"
          "def ask(*what, **how):\n"
          "  c.request(*what, **how)\n"
          "  r = c.getresponse()\n"
          "  print(r.status, r.reason, r.read().decode())\n"
          "ask(\"GET\", \"/a?b\")\n"
          "ask(\"HEAD\", \"/a\")\n"
          "ask(\"POST\", \"/a\", body=(b\"one\", b\" two\"), headers={\"Transfer-Encoding\": \"chunked\"}, "
          "encode_chunked=True)\n"
          "ask(\"GET\", \"/chunks\")\n"
          "ask(\"GET\", \"/none\")\n"
          "print(urllib.request.urlopen(\"http://127.0.0.1:" +
          port + "/url\").read().decode())\n");
      return client.rest();
    };
    const std::string printed = co_await run_blocking(run_client);
    EXPECT_EQ(printed,
              "200 OK GET /a?b \n200 OK \n200 OK POST /a one two\n200 OK GET /chunks \n404 Not Found GET /none \n"
              "GET /url \n");
    web.stop();
    co_await running.join();
  });
}

}  // namespace
}  // namespace lockstep::http
