/** The sessions of a fleet: each with its own exact filter, its own wildcard, and a filter that it shares with others. */
const GROUPS = 1000;

export function fleetClientId(device: number): string {
  return `bench-device-${device}`;
}

export function fleetFilters(device: number): readonly string[] {
  return [commandTopic(device), `fleet/${device}/configuration/+`, `fleet/group/${device % GROUPS}/#`];
}

export function commandTopic(device: number): string {
  return `fleet/${device}/command`;
}
