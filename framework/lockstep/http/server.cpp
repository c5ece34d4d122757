#include <lockstep/http/server.hpp>

namespace lockstep::http {

server::server(const server_options& options, source where)
    : options_(options), connections_(options.connections, where), stopping_("the server is being stopped") {}

void server::stop(source where) {
  stopping_.set(where);
  connections_.stop(where);
}

void server::stop_now(source where) {
  stopping_.set(where);
  connections_.stop_now(where);
}

}  // namespace lockstep::http
