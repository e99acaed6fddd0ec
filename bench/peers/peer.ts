/** A broker that can be measured. A fresh one is started for every run and stopped afterwards. */
import type { Protocol, Qos } from '../generator/frames.js';
import type { Transport } from '../generator/transport.js';

/** What a scenario may want of a broker beside the protocol. */
export type Ability =
  | 'shared subscriptions'
  /** It can be started with a configuration file of ours. */
  | 'our configuration'
  | 'a password file'
  | 'argon2id passwords'
  /** It is one process of Node, which a module of ours can look into. */
  | 'a process of Node';

export interface Peer {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  readonly transports: readonly Transport[];
  readonly qos: readonly Qos[];
  readonly abilities: readonly Ability[];
  /** Why it cannot be measured here; undefined when it can. */
  readonly unavailable: string | undefined;
  /** What share of a scenario's counts and windows it takes on, so that a slow one is done in time (default: 1). */
  readonly shareOfLoad?: number;
  /** It takes part only when it is asked for by name. */
  readonly isOnRequest?: boolean;
  /** How to start it, or where it already runs. */
  readonly source: LaunchedPeer | ExternalPeer;
}

export interface Launch {
  readonly port: number;
  readonly transport: Transport;
  /** For its files: empty, or left by an earlier process of this peer; removed after the run. */
  readonly directory: string;
  /** For TLS. */
  readonly certificate?: CertificateFiles;
  /** For peers that take one. */
  readonly configurationFile?: string;
  /** In mosquitto's form: who is in it gets in, and nobody else. */
  readonly passwordFile?: string;
}

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface LaunchedPeer {
  readonly kind: 'launched';
  /** The command that serves MQTT on 127.0.0.1:`port` in the foreground. */
  command(launch: Launch): readonly string[];
}

export interface ExternalPeer {
  readonly kind: 'external';
  readonly host: string;
  readonly port: number;
}

export const EVERY_PROTOCOL: readonly Protocol[] = [4, 5];
export const EVERY_QOS: readonly Qos[] = [0, 1, 2];
