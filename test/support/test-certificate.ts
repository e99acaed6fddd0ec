/**
 * A certificate for 127.0.0.1 and localhost that vouches for itself, until 2126, and its key, which is no secret. Made by:
 *
 *   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 \
 *     -subj /CN=webhook.test -addext subjectAltName=IP:127.0.0.1,DNS:localhost
 */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQga83Rgz/vT6wpdMcL
o/Ct5j6Np52h9ZJrMxSYZ+BoRJKhRANCAASf82obT6TtToPq+ZxrpaXkX4XN1TpM
Qj4p+yaDIjA7/lX5S3dLfcubU0xRqEfXfwWIAbPyJUuPyYxYsRao0Dy5
-----END PRIVATE KEY-----
`;

export const cert = `-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUWRZIW69fN3lSd3i08r5JhcDsN4cwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMd2ViaG9vay50ZXN0MCAXDTI2MTEyMTE2NTU0MloYDzIxMjYx
MDI4MTY1NTQyWjAXMRUwEwYDVQQDDAx3ZWJob29rLnRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASf82obT6TtToPq+ZxrpaXkX4XN1TpMQj4p+yaDIjA7/lX5
S3dLfcubU0xRqEfXfwWIAbPyJUuPyYxYsRao0Dy5o28wbTAdBgNVHQ4EFgQUzVJB
GR7iBXPuq48SzrgYld/2AbIwHwYDVR0jBBgwFoAUzVJBGR7iBXPuq48SzrgYld/2
AbIwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3Qw
CgYIKoZIzj0EAwIDSAAwRQIgdSxahli4YmbH0VgeBYrCx5nr2ggoLzZZEjSJF2PZ
y4wCIQDuEMXykBZ0aWquyejiaNS+HaCmhVo/1MX0iJS6n2Rf7g==
-----END CERTIFICATE-----
`;
