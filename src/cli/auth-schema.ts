/** The section `auth`: who may connect, and how clients show who they are. Secrets stand in files, never in the configuration. */
import { z } from 'zod';
import { TOKEN_ALGORITHMS } from '../auth/token-key.js';
import { DEFAULT_LIMITS } from '../broker/broker-options.js';
import { isLoopbackHost } from '../transport/loopback.js';
import { expected, setting } from './setting.js';

const DAY_SECONDS = 86_400;

const notAMap = expected('a map of settings');

const wantedFile = expected('the path of a file');

function file(description: string) {
  return z
    .string(wantedFile)
    .min(1, wantedFile)
    .refine((path) => !path.includes('\0'), wantedFile)
    .optional()
    .meta({ description, 'x-unit': '' });
}

const wantedText = expected('a text');

function text(description: string) {
  return z.string(wantedText).min(1, wantedText).optional().meta({ description, 'x-unit': '' });
}

/** The name of a claim, with dots between its parts. */
function claim(name: string, description: string, reason: string) {
  return z
    .string(wantedText)
    .min(1, wantedText)
    .default(name)
    .meta({ description: `${description} Default: ${reason}.`, 'x-unit': '' });
}

/** What is wrong with a URL is said without showing it: it may have a secret in it. */
function url(description: string, wanted: string, mayBe: (url: URL) => boolean) {
  return z
    .string({ error: wanted })
    .refine((value) => isPlainUrl(value) && mayBe(new URL(value)), { error: wanted })
    .optional()
    .meta({ description, 'x-unit': '' });
}

function isPlainUrl(value: string): boolean {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return `${username}${password}` === '' && !value.includes('#');
}

function isLocalOrEncrypted({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopbackHost(hostname.replace(/^\[|\]$/g, ''));
}

const checksSchema = z
  .strictObject(
    {
      concurrency: setting.count({
        description:
          'Passwords and tokens that are checked at once. Short checks run in the threads of Node (four, unless `UV_THREADPOOL_SIZE` says otherwise), where the database syncs its files too: fewer than there are. Long ones (argon2id, PBKDF2 with more than 10,000 rounds) have threads of their own, of the lowest priority, so that messages go first; each takes some 10 MB, and argon2id at its usual cost 46 MiB more while it is computed.',
        reason: 'two of the four threads stay free for the database; more make nobody connect sooner on two cores',
        default: 2,
        min: 1,
        max: 128,
        unit: 'checks',
      }),
      maxWaiting: setting.count({
        description: 'Checks that may wait for their turn. A client beyond that is refused with "Server busy" (0x89).',
        reason: 'a fleet that comes back at once; each takes about a kilobyte',
        default: 20_000,
        min: 1,
        max: 1_000_000,
        unit: 'checks',
      }),
      maxWait: setting.duration({
        description:
          'How long a check may wait. A client whose turn comes later is refused with "Server busy" (0x89), and is to try again.',
        reason: 'below `mqtt.connectTimeout`: the client is told, and nothing is checked for one who has gone',
        default: 8,
        min: 0.1,
        max: 3600,
      }),
      rememberFor: setting.duration({
        description:
          'How long a password that was right need not be checked again; 0 checks each time. What is kept tells nobody the password, and is dropped when the file changes.',
        reason: 'a fleet that comes back after a broken network costs no checks',
        default: 3600,
        min: 0,
        max: 7 * DAY_SECONDS,
      }),
      maxRemembered: setting.count({
        description: 'Passwords, and tokens, that are remembered; the one used longest ago makes room.',
        reason: 'some tens of megabytes at most',
        default: 50_000,
        min: 0,
        max: 10_000_000,
        unit: 'checks',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'How passwords and tokens are checked.' });

const wantedAlgorithm = expected(`one of ${TOKEN_ALGORITHMS.join(', ')}`);

const jwtSchema = z
  .strictObject(
    {
      secretFile: file(
        'File with the secret that tokens are signed with by HS256, HS384 or HS512: at least 32 bytes, a line end behind it does not count. Default: unset. With none of `secretFile`, `keyFile` and `jwksUrl`, no tokens are taken.',
      ),
      secretEncoding: setting.choice({
        description:
          'How the secret is written in `secretFile`: its bytes as they are, or base64 of them (base64url, too).',
        reason: 'a secret that was typed or generated as text',
        words: ['text', 'base64'],
        default: 'text',
      }),
      keyFile: file(
        'File with what tokens are verified with: a public key or certificate as PEM, or a JWK or a set of them (JWKS) as JSON. Default: unset.',
      ),
      jwksUrl: url(
        "URL from which the issuer's keys are fetched (JWKS): `https`, or `http` to this machine. Default: unset.",
        'expected a URL that begins with https://, or with http:// and a loopback address, and has no user, password or #',
        isLocalOrEncrypted,
      ),
      jwksTimeout: setting.duration({
        description: 'How long a request for the keys may take.',
        reason: 'half of `mqtt.connectTimeout`: whoever waits for them can still be told',
        default: 5,
        min: 0.1,
        max: 60,
      }),
      jwksCooldown: setting.duration({
        description: 'Time between two requests for the keys at least, whatever keys tokens name.',
        reason: 'a key that was just added is known soon, and nobody can make the broker ask all the time',
        default: 10,
        min: 1,
        max: DAY_SECONDS,
      }),
      jwksMaxAge: setting.duration({
        description: 'Age from which on the keys are fetched again, whether anybody connects or not.',
        reason: 'a key that was taken back is not used much longer, and who is connected by it is disconnected',
        default: 600,
        min: 10,
        max: 30 * DAY_SECONDS,
      }),
      algorithms: setting.list({
        description:
          'Algorithms of tokens that are taken. Empty: those that the keys are for; a key is never used for those of another kind.',
        reason: 'the keys say it',
        item: z.enum(TOKEN_ALGORITHMS, wantedAlgorithm).meta({ description: 'Algorithm.', 'x-unit': '' }),
        what: 'algorithms',
        max: TOKEN_ALGORITHMS.length,
      }),
      issuer: text('What the claim `iss` of a token has to be. Default: unset, which takes any.'),
      audience: setting.list({
        description: 'What the claim `aud` of a token has to name, one of these. Empty: any.',
        reason: 'not every issuer sets it; set it where the issuer serves others, too',
        item: z.string(wantedText).min(1, wantedText).meta({ description: 'Audience.', 'x-unit': '' }),
        what: 'audiences',
        max: 100,
      }),
      clockTolerance: setting.duration({
        description: 'By how much the clocks of issuer and broker may differ, when times of a token are looked at.',
        reason: 'clocks that are set by NTP differ by less',
        default: 5,
        min: 0,
        max: 600,
      }),
      requireExpiry: z.boolean(expected('true or false')).default(true).meta({
        description:
          'Whether a token has to have the claim `exp`. Default: `true`: a token that never expires cannot be taken back.',
        'x-unit': '',
      }),
      usernameClaim: claim(
        'sub',
        'Claim that is the user name. A user name in CONNECT may be left out, and otherwise has to be the same.',
        'whom the token is about',
      ),
      rolesClaim: claim(
        'roles',
        'Claim with the roles of the client, a list of texts; with dots where it lies within another, as `realm_access.roles`.',
        'as most issuers have it',
      ),
      rulesClaim: claim(
        'acl',
        'Claim with rules for the client: `{"pub": [], "sub": [], "all": []}`, or a list of `{"permission", "action", "topic"}`.',
        'as in EMQX',
      ),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Tokens (JWT) as passwords, and as the authentication method `JWT`.' });

const httpAuthSchema = z
  .strictObject(
    {
      url: url(
        'URL of a back end that is asked about clients, by POST with JSON. Default: unset, which asks nobody.',
        'expected a URL that begins with https:// or http:// and has no user, password or #',
        () => true,
      ),
      headersFile: file(
        'File with headers for its requests, one `Name: value` a line, such as `Authorization`. Default: unset, which sends none.',
      ),
      timeout: setting.duration({
        description: 'How long a request may take.',
        reason: 'half of `mqtt.connectTimeout`: a client can still be told',
        default: 5,
        min: 0.05,
        max: 60,
      }),
      concurrency: setting.count({
        description: 'Requests at once.',
        reason: 'keeps a usual back end busy and does not bury it',
        default: 32,
        min: 1,
        max: 1000,
        unit: 'requests',
      }),
      maxWaiting: setting.count({
        description: 'Clients that may wait for a request; one more is refused with "Server busy" (0x89).',
        reason: 'a fleet that comes back at once',
        default: 20_000,
        min: 1,
        max: 1_000_000,
        unit: 'clients',
      }),
      maxWait: setting.duration({
        description:
          'How long a client may wait for its request to begin; then it is refused with "Server busy" (0x89).',
        reason: 'with the request itself, less than `mqtt.connectTimeout`',
        default: 5,
        min: 0.1,
        max: 3600,
      }),
      rememberFor: setting.duration({
        description:
          'How long a client that was allowed is not asked about again, if nothing about it has changed; 0 asks each time.',
        reason: 'takes the weight of a fleet that comes back, and a user who is locked out is so soon',
        default: 60,
        min: 0,
        max: DAY_SECONDS,
      }),
      maxRemembered: setting.count({
        description: 'Answers that are remembered; the one used longest ago makes room.',
        reason: 'some tens of megabytes at most',
        default: 50_000,
        min: 0,
        max: 10_000_000,
        unit: 'answers',
      }),
      whenDown: setting.choice({
        description:
          'What happens while it gives no answer: `deny` refuses clients with "Server unavailable" (0x88); `ignore` decides as if it did not know them.',
        reason: 'nobody gets in for the reason that nobody could be asked',
        words: ['deny', 'ignore'],
        default: 'deny',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'A back end that is asked about clients by HTTP.' });

export const authSchema = z
  .strictObject(
    {
      anonymous: z.boolean(expected('true or false')).optional().meta({
        description:
          'Whether clients that do not say who they are may connect: `true` on every listener, `false` on none. Default: unset, which allows them on listeners with a loopback address only, and nowhere once there is a `passwordFile`, `scram`, `jwt` or `http`: a first try needs no setup, and a broker on the network is never open by accident.',
        'x-unit': '',
      }),
      passwordFile: file(
        "File with users and hashes of their passwords, in mosquitto's format; `millrace passwd` and `mosquitto_passwd` write it. Read at start, and again when it changes. Default: unset.",
      ),
      scram: file(
        'File with the users of the authentication methods `SCRAM-SHA-256` and `SCRAM-SHA-512` (MQTT 5), one line for each as `millrace scram USER` prints it; read at start, and again when it changes. A relative path starts from the working directory. Default: unset, which offers neither.',
      ),
      maxExchangeRounds: setting.count({
        description: 'Packets that a client may send in one authentication exchange, its CONNECT included.',
        reason: 'SCRAM takes two or three, and no method in use takes many more',
        default: DEFAULT_LIMITS.authenticationMaximumRounds,
        min: 2,
        max: 1000,
        unit: 'packets',
      }),
      maxExchangeBytes: setting.size({
        description: 'Bytes of authentication data that a client may send in one exchange.',
        reason: 'room for a token or a chain of certificates; who sends it is nobody yet',
        default: DEFAULT_LIMITS.authenticationMaximumBytes,
        min: 256,
        max: 1024 * 1024,
      }),
      checks: checksSchema,
      jwt: jwtSchema,
      http: httpAuthSchema,
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Who may connect.' });

export type AuthSettings = z.output<typeof authSchema>;
