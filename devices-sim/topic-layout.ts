/**
 * Where a run's messages go. The run is a level of its own: one filter shows the observer exactly its run, with MQTT
 * 3.1.1 as well (which has no user properties), and runs side by side cannot be mistaken for duplicates or losses.
 *
 *     telemetry/<run>/<network>/<station>    a reading
 *     devices/<client id>/status             retained: online, offline
 */
export class TopicLayout {
  readonly #run: string;

  constructor(run: string) {
    this.#run = run;
  }

  get allReadings(): string {
    return `telemetry/${this.#run}/#`;
  }

  readings(network: string, station: string): string {
    return `telemetry/${this.#run}/${network}/${station}`;
  }

  status(clientId: string): string {
    return `devices/${clientId}/status`;
  }

  deviceClientId(station: string): string {
    return `sim-${this.#run}-${station}`;
  }

  /** Not one that a station could have: those have no dot. */
  get observerClientId(): string {
    return `sim-${this.#run}-.observer`;
  }
}
