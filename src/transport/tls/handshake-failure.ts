/** Why a TLS handshake came to nothing. The one list of such reasons: each failure has one of them, and is counted. */

export const HANDSHAKE_FAILURES = [
  'not-tls',
  'protocol-version',
  'cipher',
  'application-protocol',
  'refused-by-client',
  'certificate-missing',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-revoked',
  'certificate-without-name',
  'revocation-list-missing',
  'revocation-list-expired',
  'timeout',
  'too-many-handshakes',
  'connection-lost',
  'other',
] as const;

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** What an operator can do something about, in words; the others say it by their names. */
export const FAILURE_TEXTS: Readonly<Partial<Record<HandshakeFailure, string>>> = {
  'not-tls': 'the client does not speak TLS, and this port speaks nothing else',
  'protocol-version': 'the client knows no version of TLS that is allowed here',
  cipher: 'the client knows no cipher or signature that is allowed here',
  'application-protocol': 'the client asks by ALPN for protocols that this port does not speak',
  'refused-by-client': 'the client does not take our certificate, or gave up: its own log knows why',
  'certificate-missing': 'the client has no certificate, and needs one here',
  'certificate-untrusted': 'the certificate of the client is of no authority in the file of `ca`',
  'certificate-without-name': 'the certificate of the client has not the one name that its user name is taken from',
  'revocation-list-missing': 'an authority of the client’s certificate has no revocation list in the files of `crl`',
  'revocation-list-expired': 'a revocation list in the files of `crl` has expired: nobody of its authority is let in',
  'too-many-handshakes': 'as many handshakes as are allowed were going on',
};

/** By the codes of OpenSSL that Node hands on. */
export function failureOfCode(code: string | undefined): HandshakeFailure {
  if (code === undefined) return 'other';
  switch (code) {
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_HTTPS_PROXY_REQUEST':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_BAD_RECORD_TYPE':
      return 'not-tls';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
    case 'ERR_SSL_INAPPROPRIATE_FALLBACK':
      return 'protocol-version';
    case 'ERR_SSL_NO_SHARED_CIPHER':
    case 'ERR_SSL_NO_SUITABLE_KEY_SHARE':
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
    case 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS':
      return 'cipher';
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL':
      return 'application-protocol';
    default:
      return code.includes('_ALERT_') ? 'refused-by-client' : 'other';
  }
}

/** By the names of X509_verify_cert_error_string(3). */
export function failureOfVerification(code: string): HandshakeFailure {
  switch (code) {
    case 'CERT_REVOKED':
      return 'certificate-revoked';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'certificate-expired';
    case 'UNABLE_TO_GET_CRL':
      return 'revocation-list-missing';
    case 'CRL_HAS_EXPIRED':
    case 'CRL_NOT_YET_VALID':
      return 'revocation-list-expired';
    default:
      return 'certificate-untrusted';
  }
}
