/** What a listener takes from proxies in front of it: `proxyProtocol`, `forwardedFor` and `origins` of `listeners`. */
import { z } from 'zod';
import { DEFAULT_PROXY_TIMEOUT_MS } from '../transport/proxy/proxy-options.js';
import { addressRange } from './address-setting.js';
import { expected, setting } from './setting.js';

const notAMap = expected('a map of settings');

function trusted(description: string) {
  return setting.list({ description, reason: 'nobody is believed', item: addressRange, what: 'addresses', max: 1000 });
}

export const proxyProtocolSchema = z
  .strictObject(
    {
      trusted: trusted(
        'Addresses of the proxies that send a header of the PROXY protocol, version 1 or 2; a list switches the protocol on. Clients behind them have the address that the header names, for limits, bans, rules and logs, and are never taken for clients of this machine.',
      ),
      required: z.boolean(expected('true or false')).default(true).meta({
        description:
          'Whether everybody has to come through such a proxy. With `false`, who connects directly is served as well, and so is a proxy without a header. Default: what can be reached past the proxy is usually meant not to be.',
        'x-unit': '',
      }),
      timeout: setting.duration({
        description: 'How long the header may take to come, in seconds.',
        reason: 'it comes with the first packet; three seconds are what a lost one takes to come again',
        default: DEFAULT_PROXY_TIMEOUT_MS / 1000,
        min: 0.1,
        max: 60,
      }),
      username: setting.choice({
        description:
          'With `common-name` the CN of a client’s certificate that the proxy has verified (the SSL part of version 2) is the user name, as if it had been shown to the broker.',
        reason: 'it is the proxy that is to be believed then, in what is as good as a password',
        words: ['none', 'common-name'],
        default: 'none',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Proxies of TCP in front of the listener.' });

const forwardedForSchema = z
  .strictObject(
    {
      trusted: trusted(
        'Addresses of the proxies that name the client in a header of HTTP; only for kind `ws`. The client is the right-most address that is none of these.',
      ),
      header: setting.choice({
        description:
          'The header that they write. Only this one is read: the other may come from the client as it likes.',
        reason: 'it is what most proxies write',
        words: ['x-forwarded-for', 'forwarded'],
        default: 'x-forwarded-for',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Proxies of HTTP in front of the listener.' });

const wantedOrigin = expected('an origin such as https://example.com');

export const webSocketProxySchema = {
  forwardedFor: forwardedForSchema,
  origins: setting.list({
    description:
      'Origins whose pages may connect, such as `https://example.com`; others get status 403. Only for kind `ws`. Programs that are no browsers send no origin, and are not kept out by this.',
    reason: 'every page may, as with any MQTT broker: it is credentials that keep them out',
    item: z
      .string(wantedOrigin)
      .regex(/^(?:[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+|null)$/i, wantedOrigin)
      .meta({ description: 'Scheme, host and, if it is not the usual one, port.', 'x-unit': '' }),
    what: 'origins',
    max: 1000,
  }),
};

export type ProxyProtocolSettings = z.output<typeof proxyProtocolSchema>;
export type ForwardedForSettings = z.output<typeof forwardedForSchema>;
