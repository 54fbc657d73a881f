#include "messages/network/tls_files.hpp"

#include "messages/network/openssl_ptr.hpp"

#include <cerrno>
#include <cstring>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace covey::network {

namespace {

using certificates = std::vector<x509_ptr>;

std::string quoted(const std::string& path) {
  return path.empty() ? "\"\"" : path;
}

/// The file's problem as far as the system knows one.
std::string check_readable(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return quoted(path) + ": " + std::strerror(errno);
  if (!S_ISREG(status.st_mode))
    return path + ": is not a file";
  if (::access(path.c_str(), R_OK) != 0)
    return path + ": " + std::strerror(errno);
  return {};
}

/// As ssh sees it: a private key is its owner's alone.
std::string check_private(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return path + ": " + std::strerror(errno);
  auto forbidden = status.st_uid == ::geteuid() ? 077u : 07u;
  if ((status.st_mode & forbidden) != 0)
    return path + ": others can read or write this private key; chmod 600 it";
  return {};
}

certificates read_certificates(const std::string& path) {
  certificates result;
  bio_ptr in{BIO_new_file(path.c_str(), "r")};
  while (in) {
    x509_ptr x{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    if (!x)
      break;
    result.push_back(std::move(x));
  }
  ERR_clear_error();
  return result;
}

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string read_key(const std::string& path, key_ptr& result) {
  bio_ptr in{BIO_new_file(path.c_str(), "r")};
  auto encrypted = false;
  if (in)
    result.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase,
                                         &encrypted));
  ERR_clear_error();
  if (result)
    return {};
  return path
         + (encrypted ? ": is encrypted; give a key without a passphrase"
                      : ": holds no private key in PEM");
}

std::string to_text(const ASN1_TIME* x) {
  bio_ptr out{BIO_new(BIO_s_mem())};
  ASN1_TIME_print(out.get(), x);
  char* text = nullptr;
  auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string check_times(const std::string& path, X509& x) {
  if (X509_cmp_current_time(X509_get0_notAfter(&x)) < 0)
    return path + ": the certificate expired on "
           + to_text(X509_get0_notAfter(&x));
  if (X509_cmp_current_time(X509_get0_notBefore(&x)) > 0)
    return path + ": the certificate is not valid before "
           + to_text(X509_get0_notBefore(&x))
           + "; is the clock of this machine right?";
  return {};
}

/// What OpenSSL itself demands of a certificate, say the length of its key; the
/// level that it demands goes to `level`.
std::string check_strength(const tls_files& files, int& level) {
  ssl_ctx_ptr context{SSL_CTX_new(TLS_method())};
  level = SSL_CTX_get_security_level(context.get());
  if (SSL_CTX_use_certificate_chain_file(context.get(),
                                         files.certificate.c_str())
      == 1)
    return {};
  const auto* why = ERR_reason_error_string(ERR_peek_error());
  std::string result
    = files.certificate + ": OpenSSL does not take it: "
      + (why != nullptr ? why : "it gives no reason")
      + "; make a certificate with a stronger key or signature";
  ERR_clear_error();
  return result;
}

std::string check_chain(const tls_files& files, const certificates& own,
                        const certificates& trusted, int purpose, int level) {
  store_ptr store{X509_STORE_new()};
  for (const auto& x : trusted)
    X509_STORE_add_cert(store.get(), x.get());
  chain_ptr between{sk_X509_new_null()};
  for (size_t i = 1; i < own.size(); ++i)
    sk_X509_push(between.get(), own[i].get());
  store_context_ptr verifier{X509_STORE_CTX_new()};
  X509_STORE_CTX_init(verifier.get(), store.get(), own.front().get(),
                      between.get());
  X509_STORE_CTX_set_purpose(verifier.get(), purpose);
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(verifier.get()),
                                   level);
  auto good = X509_verify_cert(verifier.get()) == 1;
  auto code = X509_STORE_CTX_get_error(verifier.get());
  ERR_clear_error();
  if (good)
    return {};
  if (code == X509_V_ERR_INVALID_PURPOSE)
    return files.certificate + ": the certificate is not one for a "
           + (purpose == X509_PURPOSE_SSL_SERVER ? "server" : "client")
           + "; use one that was made for this role";
  return files.certificate + ": the certificate is not one of the CA in "
         + files.ca_file + ": " + X509_verify_cert_error_string(code);
}

} // namespace

std::string check(const tls_files& files, tls_role role) {
  for (const auto* path : {&files.certificate, &files.key, &files.ca_file})
    if (auto problem = check_readable(*path); !problem.empty())
      return problem;
  auto own = read_certificates(files.certificate);
  if (own.empty())
    return files.certificate + ": holds no certificate in PEM";
  auto trusted = read_certificates(files.ca_file);
  if (trusted.empty())
    return files.ca_file + ": holds no certificate in PEM";
  if (auto problem = check_private(files.key); !problem.empty())
    return problem;
  key_ptr key;
  if (auto problem = read_key(files.key, key); !problem.empty())
    return problem;
  if (X509_check_private_key(own.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return files.key + ": is not the key of the certificate in "
           + files.certificate;
  }
  if (auto problem = check_times(files.certificate, *own.front());
      !problem.empty())
    return problem;
  for (const auto& x : trusted)
    if (auto problem = check_times(files.ca_file, *x); !problem.empty())
      return problem;
  auto level = 0;
  if (auto problem = check_strength(files, level); !problem.empty())
    return problem;
  if (auto problem
      = check_chain(files, own, trusted, X509_PURPOSE_SSL_CLIENT, level);
      !problem.empty())
    return problem;
  if (role == tls_role::node)
    return check_chain(files, own, trusted, X509_PURPOSE_SSL_SERVER, level);
  return {};
}

} // namespace covey::network
