/** Where inputs begin: each source gives sequences that are worth damaging, the first packet of each a CONNECT. */

export interface Seed {
  /** For reports: where it comes from. */
  readonly name: string;
  readonly packets: readonly Buffer[];
  /** Valid by MQTT, so that the broker has to take it as it is. */
  readonly isValid: boolean;
}

export interface SeedSource {
  seeds(): readonly Seed[];
}
