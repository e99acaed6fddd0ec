/** A certificate for 127.0.0.1 that vouches for itself, made by the openssl command for one run and gone with its directory. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { BenchFailure } from './bench-failure.js';
import type { CertificateFiles } from './peers/peer.js';

/** Why there can be no TLS here; undefined when there can. */
export function findTlsObstacle(): string | undefined {
  return spawnSync('openssl', ['version']).status === 0 ? undefined : 'TLS needs the openssl command for a certificate';
}

/** @throws BenchFailure when openssl does not make one */
export function makeCertificate(directory: string): CertificateFiles {
  const files = { certificate: join(directory, 'certificate.pem'), key: join(directory, 'key.pem') };
  const subject = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...kind,
    ...subject,
    '-keyout',
    files.key,
    '-out',
    files.certificate,
  ]);
  if (made.status !== 0) throw new BenchFailure(`openssl made no certificate: ${made.stderr}`);
  return files;
}
