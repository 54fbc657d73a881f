#define CAF_SUITE network.tls_files

#include "tests/network/certificates.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>

using namespace covey;
using namespace covey::network;

namespace {

struct fixture {
  test::certificates certs;

  std::string problem(const std::string& certificate, const std::string& key,
                      const std::string& ca = "ca.crt",
                      tls_role role = tls_role::node) const {
    return check(certs.files(certificate, key, ca), role);
  }

  /// The first words about a file are its whole path.
  void refused(const std::string& found, const std::string& file,
               const std::string& what) const {
    CAF_CHECK_EQUAL(found, certs.path(file) + ": " + what);
  }

  void refused_with(const std::string& found, const std::string& file,
                    const std::string& part) const {
    CAF_CHECK_EQUAL(found.find(certs.path(file) + ": "), 0u);
    CAF_CHECK(found.find(part) != std::string::npos);
    CAF_CHECK(found.find('\n') == std::string::npos);
    if (found.find(part) == std::string::npos)
      CAF_MESSAGE(found);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tls_files_tests, fixture)

CAF_TEST(good files pass for their role) {
  CAF_CHECK_EQUAL(check(certs.of("n1"), tls_role::node), "");
  CAF_CHECK_EQUAL(check(certs.of("n1"), tls_role::client), "");
  CAF_CHECK_EQUAL(check(certs.of("client"), tls_role::client), "");
  refused_with(check(certs.of("client"), tls_role::node), "client.crt",
               "not one for a server");
}

CAF_TEST(each file must be there and hold what it is for) {
  refused(problem("none", "n1.key"), "none", "No such file or directory");
  refused(problem("n1.crt", "none"), "none", "No such file or directory");
  refused(problem("n1.crt", "n1.key", "none"), "none",
          "No such file or directory");
  refused(problem("foreign", "n1.key"), "foreign", "is not a file");
  refused(problem("garbage", "n1.key"), "garbage",
          "holds no certificate in PEM");
  refused(problem("n1.key", "n1.key"), "n1.key", "holds no certificate in PEM");
  refused(problem("n1.crt", "n1.key", "garbage"), "garbage",
          "holds no certificate in PEM");
  std::filesystem::permissions(certs.path("garbage"),
                               std::filesystem::perms::owner_read);
  refused(problem("n1.crt", "garbage"), "garbage",
          "holds no private key in PEM");
  CAF_CHECK_EQUAL(check({}, tls_role::node), "\"\": No such file or directory");
}

CAF_TEST(a key is private and belongs to its certificate) {
  refused(problem("n1.crt", "open.key"), "open.key",
          "others can read or write this private key; chmod 600 it");
  refused(problem("n1.crt", "encrypted.key"), "encrypted.key",
          "is encrypted; give a key without a passphrase");
  refused(problem("n1.crt", "n2.key"), "n2.key",
          "is not the key of the certificate in " + certs.path("n1.crt"));
}

CAF_TEST(a certificate counts within its time only) {
  refused_with(problem("expired.crt", "n1.key"), "expired.crt",
               "the certificate expired on ");
  refused_with(problem("early.crt", "n1.key"), "early.crt",
               "the certificate is not valid before Jan  1 00:00:00 2090 GMT");
  refused_with(problem("n1.crt", "n1.key", "expired.crt"), "expired.crt",
               "the certificate expired on ");
}

CAF_TEST(a certificate is signed by the CA) {
  refused_with(problem("self.crt", "n1.key"), "self.crt",
               "is not one of the CA in " + certs.path("ca.crt") + ": self-");
  refused_with(problem("n1.crt", "n1.key", "foreign/ca.crt"), "n1.crt",
               "is not one of the CA in " + certs.path("foreign/ca.crt"));
  refused_with(problem("foreign/n1.crt", "foreign/n1.key"), "foreign/n1.crt",
               "is not one of the CA in ");
}

CAF_TEST(what every handshake would refuse as weak is refused first) {
  refused_with(problem("weak.crt", "weak.key"), "weak.crt", "key too small");
  refused_with(problem("by-weak-ca.crt", "n1.key", "weak-ca.crt"),
               "by-weak-ca.crt", "CA certificate key too weak");
}

CAF_TEST_FIXTURE_SCOPE_END()
