/** A broker that can be measured. Main starts a fresh one for every run and stops it afterwards. */
import type { Protocol, Qos } from '../generator/frames.js';

export interface Peer {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  readonly qos: readonly Qos[];
  /** Why it cannot be measured here; undefined when it can. */
  readonly unavailable: string | undefined;
  /** What share of a durable scenario's counts and windows it takes on, so that a slow one is done in time (default: 1). */
  readonly shareOfLoad?: number;
  /** It can be started with a configuration file of ours: scenarios that bring one are for such peers. */
  readonly takesConfiguration?: boolean;
  /** It takes part only when it is asked for by name. */
  readonly isOnRequest?: boolean;
  /** How to start it, or where it already runs. */
  readonly source: LaunchedPeer | ExternalPeer;
}

export interface LaunchedPeer {
  readonly kind: 'launched';
  /**
   * The command that serves MQTT on 127.0.0.1:`port` in the foreground.
   * @param directory for its files: empty, or left by an earlier process of this peer; removed after the run
   * @param configurationFile for peers that take one
   */
  command(port: number, directory: string, configurationFile?: string): readonly string[];
}

export interface ExternalPeer {
  readonly kind: 'external';
  readonly host: string;
  readonly port: number;
}

export const EVERY_PROTOCOL: readonly Protocol[] = [4, 5];
export const EVERY_QOS: readonly Qos[] = [0, 1, 2];
