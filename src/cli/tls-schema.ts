/** The `tls` section of whatever listens: without a certificate there is no TLS. It reaches the listener by tls-settings.ts. */
import { z } from 'zod';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, DEFAULT_MAXIMUM_HANDSHAKES } from '../transport/tls/tls-options.js';
import { expected, setting } from './setting.js';

const notAMap = expected('a map of settings');

const serving = {
  certificate: setting
    .file(
      'File with the certificate, and behind it those that lead to its authority, as PEM. Read again when it changes. Default: unset, and then there is no TLS.',
    )
    .optional(),
  key: setting
    .file('File with the private key of the certificate, as PEM and without a passphrase. Default: unset.')
    .optional(),
  moreCertificates: setting.list({
    description:
      'Further certificates: each client gets the one that is for the name it asks for (SNI), and `certificate` if none is.',
    reason: 'most listeners have one name',
    item: z.strictObject(
      { certificate: setting.file('As `certificate`.'), key: setting.file('As `key`.') },
      expected('a certificate, such as {certificate: b.pem, key: b.key}'),
    ),
    what: 'certificates',
    max: 1000,
  }),
  minVersion: setting.choice({
    description: 'Oldest version of TLS that is spoken.',
    reason: 'many devices know no newer one, and with the ciphers that are left it is sound; 1.3 is preferred',
    words: ['TLSv1.2', 'TLSv1.3'],
    default: 'TLSv1.2',
  }),
  handshakeTimeout: setting.duration({
    description: 'How long a handshake may take, in seconds.',
    reason: 'a fleet that comes back at once has to be worked off, and who only holds on is gone soon',
    default: DEFAULT_HANDSHAKE_TIMEOUT_MS / 1000,
    min: 0.1,
    max: 600,
  }),
  maxHandshakes: setting.count({
    description:
      'Handshakes going on at one time. One more takes the place of the oldest that has not sent anything, or is refused.',
    reason: 'a fleet that comes back at once, for half a gigabyte at most',
    default: DEFAULT_MAXIMUM_HANDSHAKES,
    min: 1,
    max: 1_000_000,
    unit: 'handshakes',
  }),
};

const clients = {
  clientCertificate: setting.choice({
    description:
      'Whether clients have to show a certificate: `require` refuses those that have none, `request` lets them in without; one that is not valid is refused by both.',
    reason: 'clients are told apart by what they say in CONNECT',
    words: ['none', 'request', 'require'],
    default: 'none',
  }),
  ca: setting
    .file(
      'File with the certificates of the authorities that vouch for clients, as PEM. Read again when it changes. Default: unset.',
    )
    .optional(),
  crl: setting.list({
    description:
      'Files with the revocation lists of those authorities, as PEM: with one, every authority on the way from a client’s certificate needs one that has not expired. Read again when they change.',
    reason: 'nothing is revoked until you say so',
    item: setting.file('Path of the file.'),
    what: 'files',
    max: 100,
  }),
  username: setting.choice({
    description:
      'Which name in the client’s certificate is its user name, whatever CONNECT says: the `common-name` of the subject, or the only `dns`, `email` or `uri` among its alternative names; without that name it is refused. `none` leaves it to CONNECT.',
    reason: 'names of certificates are not always names of users',
    words: ['none', 'common-name', 'dns', 'email', 'uri'],
    default: 'none',
  }),
};

/** For clients of MQTT. */
export const mqttTlsSchema = z
  .strictObject({ ...serving, ...clients }, notAMap)
  .prefault({})
  .meta({ description: 'TLS of the listener.' });

/** For HTTP, whose callers are known by tokens and signatures. */
export const httpTlsSchema = z
  .strictObject({ ...serving, clientCertificate: clients.clientCertificate, ca: clients.ca, crl: clients.crl }, notAMap)
  .prefault({})
  .meta({ description: 'TLS of the listener.' });

/** What both have in common is all that the broker asks of the second. */
export type TlsSettings = z.output<typeof httpTlsSchema> & Partial<Pick<z.output<typeof mqttTlsSchema>, 'username'>>;
