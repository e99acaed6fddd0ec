import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readDataSet } from '../../../devices-sim/data-set.js';

const SHIPPED = fileURLToPath(new URL('../../../devices-sim/data/', import.meta.url));

describe('the shipped data set', () => {
  it('is 68 stations of three networks with 7,548 readings, as its README says', async () => {
    const stations = await readDataSet(SHIPPED);
    const sizes = (network: string) =>
      stations.filter((station) => station.network === network).map(({ readings }) => readings.length);
    expect(stations).toHaveLength(68);
    expect(stations.flatMap(({ readings }) => readings)).toHaveLength(7548);
    const range = (network: string) => [
      sizes(network).length,
      Math.min(...sizes(network)),
      Math.max(...sizes(network)),
    ];
    expect(range('weather-daily')).toEqual([32, 90, 92]);
    expect(range('weather-normals')).toEqual([24, 104, 128]);
    expect(range('seismic')).toEqual([12, 1, 386]);
  });

  it('has station names that are unique and fit into one topic level', async () => {
    const names = (await readDataSet(SHIPPED)).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
  });

  it('gives numbers as numbers, words as words, and the readings of a station in the order of their time', async () => {
    const stations = await readDataSet(SHIPPED);
    expect(stations.find(({ name }) => name === 'seattle-2012-q1')?.readings[0]).toEqual({
      recordedAt: '2012-01-01',
      values: { precipitation: 0, temp_max: 12.8, temp_min: 5, wind: 4.7, weather: 'drizzle' },
    });
    for (const { readings } of stations) {
      const times = readings.map(({ recordedAt }) => recordedAt);
      expect(times).toEqual([...times].sort());
    }
  });
});

describe('readDataSet', () => {
  it('names the missing file', async () => {
    await expect(readDataSet(join(SHIPPED, 'nowhere'))).rejects.toMatchObject({ code: 'ERR_DATA_SET_INVALID' });
  });

  it('names the line that does not fit its header', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'data-set-'));
    try {
      await writeFile(join(folder, 'daily-weather.csv'), 'site,date,wind\nseattle,2012-01-01,1\nseattle,2012-01-02\n');
      await writeFile(join(folder, 'hourly-normals.csv'), 'time,wind\n');
      await writeFile(join(folder, 'seismic-events.csv'), 'network,time\n');
      await expect(readDataSet(folder)).rejects.toThrow('daily-weather.csv, line 3: 3 columns expected, 2 found');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
