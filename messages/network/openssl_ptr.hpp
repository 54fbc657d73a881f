// Owners of OpenSSL's objects.

#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace covey::network {

struct openssl_delete {
  void operator()(BIO* x) const {
    BIO_free(x);
  }
  void operator()(EVP_PKEY* x) const {
    EVP_PKEY_free(x);
  }
  void operator()(X509* x) const {
    X509_free(x);
  }
  void operator()(X509_STORE* x) const {
    X509_STORE_free(x);
  }
  void operator()(X509_STORE_CTX* x) const {
    X509_STORE_CTX_free(x);
  }
  /// The list only: its certificates have owners of their own.
  void operator()(STACK_OF(X509) * x) const {
    sk_X509_free(x);
  }
  void operator()(SSL* x) const {
    SSL_free(x);
  }
  void operator()(SSL_CTX* x) const {
    SSL_CTX_free(x);
  }
};

using bio_ptr = std::unique_ptr<BIO, openssl_delete>;
using key_ptr = std::unique_ptr<EVP_PKEY, openssl_delete>;
using x509_ptr = std::unique_ptr<X509, openssl_delete>;
using store_ptr = std::unique_ptr<X509_STORE, openssl_delete>;
using store_context_ptr = std::unique_ptr<X509_STORE_CTX, openssl_delete>;
using chain_ptr = std::unique_ptr<STACK_OF(X509), openssl_delete>;
using ssl_ptr = std::unique_ptr<SSL, openssl_delete>;
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, openssl_delete>;

} // namespace covey::network
