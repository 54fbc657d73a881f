// The files that prove who we are, and those we believe.

#pragma once

#include <string>

namespace covey::network {

/// All three are given, or none: then there is no TLS.
struct tls_files {
  /// PEM: our certificate first, then those between it and the CA, if any.
  std::string certificate;
  /// PEM, without a passphrase.
  std::string key;
  /// PEM: the certificates whose signature makes a peer one of us.
  std::string ca_file;

  bool any() const {
    return !certificate.empty() || !key.empty() || !ca_file.empty();
  }
};

inline bool operator==(const tls_files& x, const tls_files& y) {
  return x.certificate == y.certificate && x.key == y.key
         && x.ca_file == y.ca_file;
}

/// What a certificate must be good for: a node answers and dials, a client
/// only dials.
enum class tls_role { node, client };

/// Reads the three files and returns what is wrong, as one line that starts
/// with the file, or an empty string: unreadable, not PEM of the right kind,
/// expired or not yet valid, a key that others can read, is encrypted or does
/// not belong to the certificate, a certificate that the CA did not sign, that
/// OpenSSL finds too weak, or that does not serve the role.
std::string check(const tls_files& files, tls_role role);

} // namespace covey::network
