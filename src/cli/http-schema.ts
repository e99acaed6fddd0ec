/** The `http` section: where the broker answers by HTTP, who may administer it there, and what a request may cost. */
import { z } from 'zod';
import { isUsableToken, MAXIMUM_TOKEN_CHARACTERS, MINIMUM_TOKEN_CHARACTERS } from '../http/bearer-token.js';
import { host, port } from './listener-schema.js';
import { expected, setting } from './setting.js';
import { httpTlsSchema } from './tls-schema.js';

const wantedName = expected('a host name without a port');

/** Never says what it found. */
const wantedToken = {
  error: `expected a token of ${MINIMUM_TOKEN_CHARACTERS} to ${MAXIMUM_TOKEN_CHARACTERS} letters, digits and -._~+/`,
};

export const httpSchema = z
  .strictObject(
    {
      enabled: z.boolean(expected('true or false')).default(true).meta({
        description:
          'Whether there is HTTP at all. Default: health and administration are wanted by most, and reached from this machine alone.',
        'x-unit': '',
      }),
      host: host.meta({
        description:
          'Address to listen on: a host name or an IP address. Without `tls`, on another address than a loopback one, the token can be read on the way. Default: only programs on the same machine can connect until you decide otherwise.',
        'x-unit': '',
      }),
      port: port.default(8080).meta({
        description:
          'TCP port. 0 takes a free one, and the start message names it. Default: where dashboards and probes look first.',
        'x-unit': '',
      }),
      allowedHosts: setting.list({
        description:
          'Names by which the listener is called beside its `host`, addresses and `localhost`: requests for other names, and pages of other sites, are refused. On an address that others can reach, an empty list takes every name.',
        reason: 'a page that makes its own name lead to this machine gets no answer',
        item: z
          .string(wantedName)
          .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,252})$/, wantedName)
          .meta({ description: 'Host name without a port.', 'x-unit': '' }),
        what: 'host names',
        max: 100,
      }),
      // The line's end, where it comes from a file by way of a Secret, is not part of it.
      adminToken: z.string(wantedToken).trim().refine(isUsableToken, wantedToken).optional().meta({
        description:
          'What an administrator has to present: `Authorization: Bearer …`. Better in the environment than in a file that others can read. Default: unset, which makes one at the first start and keeps it in the file `admin-token` of the data directory; without a directory, nobody can administer.',
        'x-unit': '',
        'x-secret': true,
      }),
      maxConnections: setting.count({
        description:
          'Connections open at one time. One more has the place of the one that has gone longest without a request; where all are being answered, it is closed.',
        reason: 'some administrators and probes, and nobody who could crowd out the devices',
        default: 100,
        min: 1,
        max: 100_000,
        unit: 'connections',
      }),
      maxBodySize: setting.size({
        description: 'Bytes that the body of a request may have.',
        reason: 'room for the ids of a thousand messages, several times over',
        default: 256 * 1024,
        min: 1024,
        max: 16 * 1024 * 1024,
      }),
      requestTimeout: setting.duration({
        description:
          'How long a request may take to arrive, in seconds. A connection is also closed that asks nothing more for so long.',
        reason: 'far above what a slow network needs, and too short to hold connections for nothing',
        default: 10,
        min: 0.1,
        max: 3600,
      }),
      tls: httpTlsSchema,
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'Health, and the administration of queues, by HTTP.' });
