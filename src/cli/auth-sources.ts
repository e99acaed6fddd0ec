/**
 * Authentication as the configuration says: the sources in their order, the methods, and the files behind them, which are read again when
 * they change. Whoever has been let in by what is gone from a file is told to whoever asks.
 */
import type { Logger } from 'pino';
import { TooManyChanges } from '../auth/administration/administration-errors.js';
import { PasswordUserFile } from '../auth/administration/password-user-file.js';
import { ScramUserFile } from '../auth/administration/scram-user-file.js';
import type { KnownUsers, UserFile } from '../auth/administration/user-file.js';
import { AuthenticationChain } from '../auth/authentication-chain.js';
import { AuthenticationCounters } from '../auth/authentication-counters.js';
import type { AuthenticationMethod } from '../auth/authentication-method.js';
import type { Authenticator } from '../auth/authenticator.js';
import { BUSY, CheckLane } from '../auth/check-lane.js';
import { CountedMethod } from '../auth/counted-method.js';
import type { CredentialJudge } from '../auth/credential-judge.js';
import { HttpJudge } from '../auth/http-judge.js';
import type { PasswordHash } from '../auth/password-hash.js';
import { PasswordJudge } from '../auth/password-judge.js';
import { RemoteTokenKeys } from '../auth/remote-token-keys.js';
import type { ScramUsers } from '../auth/scram-credentials-file.js';
import { SCRAM_MECHANISMS } from '../auth/scram-mechanism.js';
import { ScramMethod } from '../auth/scram-method.js';
import { TokenJudge } from '../auth/token-judge.js';
import { FileTokenKeys } from '../auth/token-keys.js';
import { TokenMethod } from '../auth/token-method.js';
import { TokenVerifier } from '../auth/token-verifier.js';
import type { Credential, UsersInForce } from '../auth/user-table.js';
import type { CancelTimer, Clock } from '../core/clock.js';
import { NoticeLimit } from '../core/notice-limit.js';
import { FileWatch } from '../transport/tls/file-watch.js';
import {
  type AuthFiles,
  type FileRead,
  MAX_USERS_BYTES,
  readHeaders,
  readPasswords,
  readScram,
  readTokenKeys,
} from './auth-files.js';
import { takesTokens } from './auth-rules.js';
import type { AuthSettings } from './auth-schema.js';
import { EditedTextFile } from './edited-text-file.js';
import { ReloadedFile } from './reloaded-file.js';

/** A file that is just being written looks another way after this. */
const SETTLING_MS = 500;

type Figures = () => Iterable<readonly [topic: string, value: number]>;

export class AuthSources {
  readonly authenticator: Authenticator;
  readonly methods: readonly AuthenticationMethod[];
  /** Users have lost what they were let in by, an entry of a file or a key: their connections are to be ended. Resolves when they are. */
  onWithdrawn: () => Promise<void> = async () => {};
  readonly #clock: Clock;
  readonly #timeOfDayMs: () => number;
  readonly #logger: Logger;
  readonly #notices: NoticeLimit;
  readonly #counters = new AuthenticationCounters();
  readonly #lane: CheckLane;
  readonly #files: ReloadedFile[] = [];
  readonly #userFiles: UserFile[] = [];
  readonly #figures: Figures[] = [];
  readonly #watch: FileWatch | null;
  #remoteKeys: RemoteTokenKeys | null = null;
  #cancelSettling: CancelTimer | null = null;
  #reloads = 0;
  #failedReloads = 0;

  /**
   * @param files what they said when the configuration was read
   * @param timeOfDayMs as issuers of tokens have it
   */
  constructor(settings: AuthSettings, files: AuthFiles, clock: Clock, timeOfDayMs: () => number, logger: Logger) {
    const { checks } = settings;
    this.#clock = clock;
    this.#timeOfDayMs = timeOfDayMs;
    this.#logger = logger;
    this.#notices = new NoticeLimit(clock);
    const { concurrency, maxWaiting, maxWait } = checks;
    const limits = { concurrency, maximumWaiting: maxWaiting, maximumWaitMs: milliseconds(maxWait) };
    this.#lane = new CheckLane(limits, clock);
    const verifier = takesTokens(settings.jwt) ? this.#tokenVerifier(settings, files) : null;
    const judges: CredentialJudge[] = [];
    if (verifier !== null) judges.push(new TokenJudge(verifier));
    if (settings.passwordFile !== undefined) judges.push(this.#passwordJudge(settings, settings.passwordFile, files));
    if (settings.http.url !== undefined) judges.push(this.#httpJudge(settings.http, settings.http.url, files));
    const methods: AuthenticationMethod[] =
      settings.scram === undefined ? [] : this.#scramMethods(settings.scram, files);
    if (verifier !== null) methods.push(new TokenMethod(verifier));
    this.methods = methods.map((method) => new CountedMethod(method, this.#counters));
    const options = { judges, hasMethods: methods.length > 0, counters: this.#counters };
    this.authenticator = new AuthenticationChain(settings.anonymous, options);
    const paths = this.#files.flatMap((file) => file.paths);
    this.#watch = paths.length === 0 ? null : new FileWatch(paths, clock, () => this.#reload(false));
  }

  /** Those that can be changed while the broker runs. */
  get userFiles(): readonly UserFile[] {
    return this.#userFiles;
  }

  /** Does what takes time in turn with the checks of passwords. @throws TooManyChanges if too many wait */
  async inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const outcome = await this.#lane.run(work, { address: '', isWanted: () => true });
    if (outcome === BUSY) throw new TooManyChanges('Too many passwords are being checked: try again later');
    return outcome;
  }

  /** Reads all files again, also those that do not look changed. */
  reload(): void {
    this.#reload(true);
  }

  /** Below `$SYS/broker/`. */
  *figures(): Generator<readonly [topic: string, value: number]> {
    yield* this.#counters.figures();
    for (const figures of this.#figures) yield* figures();
    yield ['authentication/checks/waiting', this.#lane.waiting];
    yield ['authentication/checks/refused as busy', this.#lane.refused];
    yield ['authentication/reloads/done', this.#reloads];
    yield ['authentication/reloads/failed', this.#failedReloads];
  }

  close(): void {
    this.#cancelSettling?.();
    this.#watch?.close();
    this.#remoteKeys?.close();
  }

  #tokenVerifier({ jwt, checks }: AuthSettings, files: AuthFiles): TokenVerifier {
    const surroundings = {
      clock: this.#clock,
      timeOfDayMs: this.#timeOfDayMs,
      logger: this.#logger,
      notices: this.#notices,
    };
    const rules = {
      algorithms: jwt.algorithms.length === 0 ? undefined : jwt.algorithms,
      issuer: jwt.issuer,
      audience: jwt.audience,
      clockToleranceMs: milliseconds(jwt.clockTolerance),
      isExpiryRequired: jwt.requireExpiry,
      usernameClaim: jwt.usernameClaim,
      rolesClaim: jwt.rolesClaim,
      rulesClaim: jwt.rulesClaim,
      maximumRemembered: checks.maxRemembered,
    };
    if (jwt.jwksUrl === undefined) {
      const keys = new FileTokenKeys(files.tokenKeys ?? []);
      const verifier = new TokenVerifier(keys, rules, this.#lane, surroundings);
      const paths = [jwt.secretFile, jwt.keyFile].filter((path) => path !== undefined);
      this.#follow(
        paths,
        'keys for tokens',
        () => readTokenKeys(jwt, settingIs),
        (changed) => {
          const gone = keys.replace(changed);
          verifier.forget();
          this.#onReplaced(gone);
        },
      );
      this.#figures.push(() => verifier.figures());
      return verifier;
    }
    const options = {
      url: jwt.jwksUrl,
      timeoutMs: milliseconds(jwt.jwksTimeout),
      cooldownMs: milliseconds(jwt.jwksCooldown),
      maximumAgeMs: milliseconds(jwt.jwksMaxAge),
    };
    const keys = new RemoteTokenKeys(options, this.#clock, this.#logger, (gone) => {
      verifier.forget();
      this.#onReplaced(gone);
    });
    this.#remoteKeys = keys;
    const verifier = new TokenVerifier(keys, rules, this.#lane, surroundings);
    this.#figures.push(
      () => keys.figures(),
      () => verifier.figures(),
    );
    return verifier;
  }

  #passwordJudge({ checks, http }: AuthSettings, file: string, files: AuthFiles): PasswordJudge {
    const judge = new PasswordJudge(files.passwords ?? new Map(), this.#lane, this.#clock, {
      rememberMs: milliseconds(checks.rememberFor),
      maximumRemembered: checks.maxRemembered,
      isLast: http.url === undefined,
    });
    this.#figures.push(() => judge.figures());
    const take = (users: ReadonlyMap<string, PasswordHash>): void => {
      this.#onReplaced(judge.replaceUsers(users));
    };
    const followed = this.#follow([file], 'users with passwords', () => readPasswords(file, settingIs), take);
    const administered = new EditedTextFile(file, MAX_USERS_BYTES);
    const known = knownUsers([judge.users], ({ name }) => name);
    this.#userFiles.push(new PasswordUserFile(administered, known, followed.replacing(take)));
    return judge;
  }

  #httpJudge(http: AuthSettings['http'], url: string, files: AuthFiles): HttpJudge {
    const { concurrency, maxWaiting, maxWait, timeout, rememberFor, maxRemembered, whenDown, headersFile } = http;
    const options = {
      url,
      headers: files.headers,
      timeoutMs: milliseconds(timeout),
      lane: { concurrency, maximumWaiting: maxWaiting, maximumWaitMs: milliseconds(maxWait) },
      rememberMs: milliseconds(rememberFor),
      maximumRemembered: maxRemembered,
      whenDown,
    };
    const judge = new HttpJudge(options, this.#clock, this.#logger, this.#notices);
    this.#figures.push(() => judge.figures());
    if (headersFile !== undefined) {
      this.#follow(
        [headersFile],
        'headers for authentication by HTTP',
        () => readHeaders(headersFile, settingIs),
        (headers) => judge.replaceHeaders(headers),
      );
    }
    return judge;
  }

  #scramMethods(file: string, files: AuthFiles): AuthenticationMethod[] {
    const methods = SCRAM_MECHANISMS.map((mechanism) => {
      return new ScramMethod(mechanism, files.scram?.get(mechanism.name) ?? new Map());
    });
    const take = (users: ScramUsers): void => {
      let withdrawn = 0;
      for (const method of methods) withdrawn += method.replaceUsers(users.get(method.name) ?? new Map());
      this.#onReplaced(withdrawn);
    };
    const followed = this.#follow([file], 'users of SCRAM', () => readScram(file, settingIs), take);
    const administered = new EditedTextFile(file, MAX_USERS_BYTES);
    const tables = methods.map(({ users }) => users);
    const known = knownUsers(tables, ({ mechanism }) => mechanism.name);
    this.#userFiles.push(new ScramUserFile(administered, known, followed.replacing(take)));
    return methods;
  }

  #onReplaced(withdrawn: number): void {
    if (withdrawn > 0) void this.onWithdrawn();
  }

  #follow<Value>(
    paths: readonly string[],
    what: string,
    read: () => FileRead<Value>,
    take: (value: Value) => void,
  ): ReloadedFile {
    const file = new ReloadedFile(paths, what, read, take as (value: unknown) => void);
    this.#files.push(file);
    return file;
  }

  #reload(isForced: boolean): void {
    let isSettling = false;
    for (const file of this.#files) {
      const outcome = file.reload(isForced);
      if (outcome === 'settling') isSettling = true;
      if (outcome === 'same' || outcome === 'settling') continue;
      if (outcome === 'changed') {
        this.#reloads++;
        this.#logger.info({ files: file.paths }, `${file.what} have been read again`);
        continue;
      }
      this.#failedReloads++;
      const message = `${file.what}: the file cannot be used as it is now, what was read before stays in use`;
      this.#logger.error({ problems: outcome.problems }, message);
    }
    if (!isSettling) return;
    this.#cancelSettling?.();
    this.#cancelSettling = this.#clock.schedule(SETTLING_MS, () => this.#reload(false));
  }
}

/** Where a problem of a file is told that concerns no line of it. */
const settingIs = (): string => 'reload';

/** @param nameOf what is kept of a password is called so */
function knownUsers<Kind extends Credential>(
  tables: readonly UsersInForce<Kind>[],
  nameOf: (credential: Kind) => string,
): KnownUsers {
  return {
    get version() {
      return tables.reduce((sum, { version }) => sum + version, 0);
    },
    *usernames() {
      for (const table of tables) yield* table.usernames();
    },
    credentialsOf: (username) =>
      tables.flatMap((table) => {
        const user = table.find(username);
        return user === undefined ? [] : [nameOf(user.credential)];
      }),
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}
