/**
 * One simulated device: a connection of its own, a retained birth and a will, and one station's readings in order. The
 * Fleet opens, starts and closes it; every reading is in the ledger before it is on the wire.
 */
import type { MqttClient } from 'mqtt';
import {
  closeConnection,
  type OpenConnection,
  openConnection,
  type ProtocolVersion,
  publishWithinTime,
} from './broker-connection.js';
import type { Clock } from './clock.js';
import type { Reading } from './data-set.js';
import { InFlightWindow } from './in-flight-window.js';
import type { Ledger } from './ledger.js';
import type { QoS } from './options.js';
import type { Pacer } from './pacer.js';
import { encodeReading } from './reading-message.js';

export interface DeviceProfile {
  readonly clientId: string;
  readonly protocolVersion: ProtocolVersion;
  readonly stationName: string;
  readonly readings: readonly Reading[];
  readonly readingsTopic: string;
  readonly statusTopic: string;
  readonly run: string;
  readonly qos: QoS;
  readonly inFlight: number;
  readonly loop: boolean;
}

export class Device {
  readonly profile: DeviceProfile;
  readonly #ledger: Ledger;
  readonly #pacer: Pacer;
  readonly #clock: Clock;
  #connection: OpenConnection | undefined;
  #closing = false;

  constructor(profile: DeviceProfile, ledger: Ledger, pacer: Pacer, clock: Clock) {
    this.profile = profile;
    this.#ledger = ledger;
    this.#pacer = pacer;
    this.#clock = clock;
  }

  /** Connects with the will, and says `online`; says it again after each reconnect, since the will has said `offline`. */
  async open(url: URL): Promise<void> {
    const { clientId, protocolVersion, statusTopic } = this.profile;
    this.#connection = await openConnection(url, {
      clientId,
      protocolVersion,
      will: { topic: statusTopic, payload: Buffer.from('offline'), qos: 1, retain: true },
    });
    const { client } = this.#connection;
    const sayOnline = () => client.publish(statusTopic, 'online', { qos: 1, retain: true });
    sayOnline();
    client.on('connect', sayOnline);
  }

  /** Sends the readings when the pacer says so; resolves after the last acknowledgement, or when `signal` is aborted. */
  async replay(signal: AbortSignal): Promise<void> {
    if (this.#connection === undefined) return;
    const { client, receiveMaximum } = this.#connection;
    const window = new InFlightWindow(Math.min(this.profile.inFlight, receiveMaximum));
    do {
      for (const reading of this.profile.readings) {
        await this.#pacer.untilNextIsDue(signal);
        if (!(await window.enter(signal))) return;
        this.#send(client, reading, () => window.leave());
      }
    } while (this.profile.loop);
    await window.untilEmpty(signal);
  }

  /** Says `offline` and disconnects, so that the will stays unsaid. Never takes longer than a few seconds. */
  async close(): Promise<void> {
    this.#closing = true;
    const client = this.#connection?.client;
    if (client === undefined) return;
    await publishWithinTime(client, this.profile.statusTopic, 'offline', { retain: true }, this.#clock);
    await closeConnection(client, this.#clock);
  }

  #send(client: MqttClient, reading: Reading, onAnswered: () => void): void {
    const { clientId, stationName, readingsTopic, qos, protocolVersion, run } = this.profile;
    const sequence = this.#ledger.recordSent(clientId);
    const payload = encodeReading({ device: clientId, sequence, sentAt: this.#clock.now() }, stationName, reading);
    const properties = { contentType: 'application/json', userProperties: { run } };
    client.publish(readingsTopic, payload, protocolVersion === 5 ? { qos, properties } : { qos }, (error) => {
      // closing the connection answers what is still under way with an error that says nothing about the broker
      if (this.#closing) return;
      if (error) this.#ledger.recordRefused(clientId, error.message);
      else this.#ledger.recordAcknowledged(clientId);
      onAnswered();
    });
  }
}
