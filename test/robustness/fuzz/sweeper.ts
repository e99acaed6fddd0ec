/** Takes away what inputs leave behind: sessions that are kept, and retained messages. */
import { publish, readPublish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import type { ClientClaims } from './client-claims.js';
import { keptSecondsOf } from './client-judge.js';
import { isOrphan } from './findable-session.js';
import { Finding } from './finding.js';
import type { Played } from './socket-player.js';

const QUIET_MS = 300;
const MAXIMUM_LOOKS = 10;
/** Identifiers of the pool come back by themselves, and what they leave has a bound. */
const POOL = /^(fuzz|storm)-\d+$/;

export class Sweeper {
  readonly #port: number;
  readonly #claims: ClientClaims;
  /** Clients whose sessions may be kept. */
  readonly #pool = new Set<string>();

  constructor(port: number, claims: ClientClaims) {
    this.#port = port;
    this.#claims = claims;
  }

  /**
   * Notes the session that an input may have left, and ends it at once if its client would not come back.
   * @returns a finding if nobody can end it
   */
  async after({ expectation, assignedClientId }: Played): Promise<Finding | undefined> {
    const { connect } = expectation;
    if (connect === undefined || keptSecondsOf(expectation) === 0) return undefined;
    const clientId = connect.clientId === '' ? assignedClientId : connect.clientId;
    if (clientId === undefined) {
      return isOrphan(expectation)
        ? new Finding('leftover', 'a session is kept by a name that is not known')
        : undefined;
    }
    if (POOL.test(clientId)) this.#pool.add(clientId);
    else await this.#endSession(clientId);
    return undefined;
  }

  async endSessions(): Promise<void> {
    for (const clientId of this.#pool) await this.#endSession(clientId);
    this.#pool.clear();
  }

  /** @param except topics that begin so are left alone */
  async clearRetained(except: string): Promise<void> {
    const client = await RawClient.connect(this.#port, { clientId: `sweeper-${except}` });
    const topics = new Set<string>();
    client.onPacket = (packet) => {
      if (packet.type !== 3) return;
      const { topic, retain } = readPublish(packet);
      if (retain && !topic.startsWith(except)) topics.add(topic);
    };
    // A filter with a wildcard does not match `$…` unless it begins so [MQTT-4.7.2-1].
    client.send(subscribe(1, ['#'], 0));
    // While others publish it is never quiet: what is not heard of now is heard of the next time.
    for (let before = -1, looks = 0; before !== client.receivedBytes && looks < MAXIMUM_LOOKS; looks++) {
      before = client.receivedBytes;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    }
    for (const topic of topics) await client.sendSlowly(publish({ topic, retain: true }));
    client.send(publish({ topic: `${except}/swept`, qos: 1 }));
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    client.destroy();
  }

  async #endSession(clientId: string): Promise<void> {
    const claim = this.#claims.claim(clientId);
    const client = await RawClient.connect(this.#port, { clientId }).catch(() => undefined);
    client?.destroy();
    claim.end(false);
  }
}
