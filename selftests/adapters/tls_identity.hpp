// What tests of TLS have in common: a host "web", with a certificate that it has signed itself.
#pragma once

#include <lockstep/adapters/asio.hpp>
#include <lockstep/adapters/asio_stream.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace lockstep {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using tls_stream = ssl::stream<asio_stream<tcp_stream>>;

struct free_openssl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bytes) const { BIO_free(bytes); }
};
template <class T>
using owned = std::unique_ptr<T, free_openssl>;

inline std::string bytes_of(BIO& from) {
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(&from, &data));
  return std::string(data, size);
}

// A key, and the certificate that it signs itself, of the host "web". As PEM.
struct identity_of_web {
  std::string key;
  std::string certificate;

  // Once, as it takes a while.
  static const identity_of_web& made() {
    static const identity_of_web web;
    return web;
  }

 private:
  identity_of_web() {
    const owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
    EVP_PKEY* generated = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_keygen(context.get(), &generated);
    const owned<EVP_PKEY> pair(generated);
    const owned<X509> signed_by_itself(X509_new());
    X509* const made = signed_by_itself.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    ASN1_TIME_set_string(X509_getm_notBefore(made), "20000101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(made), "99991231235959Z");
    X509_set_pubkey(made, pair.get());
    X509_NAME* const name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("web"), -1, -1, 0);
    X509_set_issuer_name(made, name);
    const owned<X509_EXTENSION> host(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:web"));
    X509_add_ext(made, host.get(), -1);
    X509_sign(made, pair.get(), nullptr);
    const owned<BIO> text(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(text.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    key = bytes_of(*text);
    const owned<BIO> more(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(more.get(), made);
    certificate = bytes_of(*more);
  }
};

inline ssl::context for_server() {
  ssl::context made(ssl::context::tls_server);
  made.use_certificate(asio::buffer(identity_of_web::made().certificate), ssl::context::pem);
  made.use_private_key(asio::buffer(identity_of_web::made().key), ssl::context::pem);
  return made;
}

inline ssl::context for_client(bool trusting) {
  ssl::context made(ssl::context::tls_client);
  if (trusting) made.add_certificate_authority(asio::buffer(identity_of_web::made().certificate));
  made.set_verify_mode(ssl::verify_peer);
  return made;
}

}  // namespace lockstep
