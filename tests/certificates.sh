#!/usr/bin/env bash
# Makes good and bad certificates for tests.
#
# usage: tests/certificates.sh FOLDER
#
# FOLDER gets what scripts/make-certs.sh makes for n1 to n3 and clients, and
#   foreign/        the same of another CA
#   expired.crt, early.crt, self.crt   for the key of n1
#   both.crt        both CAs
#   encrypted.key   the key of n1 with a passphrase
#   open.key        the key of n1, which everybody may read
#   client-expired.crt, client-self.crt   for the key of the client
#   weak.crt, weak.key   with a key of 1024 bits; weak-ca.crt, by-weak-ca.crt (for
#                   the key of n1)   a CA with such a key, and what it signed
#   garbage         neither certificate nor key
set -euo pipefail
make_certs=$(cd "$(dirname "$0")/.." && pwd)/scripts/make-certs.sh
folder=$1
"$make_certs" "$folder" >/dev/null
"$make_certs" "$folder/foreign" >/dev/null
cd "$folder"
exec 2>openssl.log

request() { openssl req -new -key "$1.key" -subj "/CN=$1"; }
past() { openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial 1 -days -1 -out "$1"; }

request n1 | past expired.crt
request client | past client-expired.crt
for name in n1 client; do
  openssl req -x509 -new -key "$name.key" -days 30 -subj "/CN=$name" -out "$name-self.crt"
done
mv n1-self.crt self.crt

cat >ca.conf <<'CONF'
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = policy
[policy]
commonName = supplied
CONF
: >index.txt
request n1 >n1.csr
openssl ca -batch -notext -config ca.conf -cert ca.crt -keyfile ca.key -in n1.csr \
  -startdate 20900101000000Z -enddate 20910101000000Z -out early.crt >/dev/null

openssl genrsa -out weak.key 1024
request weak | openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial 2 -days 30 -out weak.crt
openssl req -x509 -new -key weak.key -days 30 -subj "/CN=weak CA" -out weak-ca.crt
request n1 | openssl x509 -req -CA weak-ca.crt -CAkey weak.key -set_serial 3 -days 30 -out by-weak-ca.crt

cat ca.crt foreign/ca.crt >both.crt
openssl pkey -in n1.key -aes256 -passout pass:secret -out encrypted.key
cp n1.key open.key
chmod 644 open.key
echo garbage >garbage
