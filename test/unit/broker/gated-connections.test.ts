/** The connections that wait for the journal: who is told, whatever happens while they are told. */
import { describe, expect, it } from 'vitest';
import { type GatedConnection, GatedConnections, NOT_GATED } from '../../../src/broker/gated-connections.js';

class Member implements GatedConnection {
  gatedAt = NOT_GATED;
  told = 0;
  whenTold = (): void => {};

  onSettled(): void {
    this.told++;
    this.whenTold();
  }
}

function listOf(count: number): { list: GatedConnections<Member>; members: Member[] } {
  const list = new GatedConnections<Member>();
  const members = Array.from({ length: count }, () => new Member());
  for (const member of members) list.add(member);
  return { list, members };
}

describe('connections that wait for the journal', () => {
  it('are told once each time, and once only if they joined twice', () => {
    const { list, members } = listOf(3);
    list.add(members[1] as Member);
    list.onSettled();
    list.onSettled();
    expect(members.map(({ told }) => told)).toEqual([2, 2, 2]);
    expect(list.size).toBe(3);
  });

  it('are told no more when they have left, from whichever place', () => {
    for (const leaving of [0, 1, 2, 3]) {
      const { list, members } = listOf(4);
      list.delete(members[leaving] as Member);
      list.delete(members[leaving] as Member);
      list.onSettled();
      expect(members.map(({ told }) => told)).toEqual([0, 1, 2, 3].map((at) => (at === leaving ? 0 : 1)));
    }
  });

  it('may leave while they are told, all or some, and nobody is forgotten', () => {
    for (const isLeaving of [(at: number) => at >= 0, (at: number) => at % 2 === 0, (at: number) => at % 3 !== 0]) {
      const { list, members } = listOf(10);
      for (const [at, member] of members.entries()) if (isLeaving(at)) member.whenTold = () => list.delete(member);
      list.onSettled();
      expect(members.every(({ told }) => told === 1)).toBe(true);
      expect([...list]).toHaveLength(members.filter((_, at) => !isLeaving(at)).length);
    }
  });

  it('may take others with them', () => {
    const { list, members } = listOf(6);
    (members[5] as Member).whenTold = () => {
      for (const member of members) list.delete(member);
    };
    list.onSettled();
    expect(members.map(({ told }) => told)).toEqual([0, 0, 0, 0, 0, 1]);
    expect(list.size).toBe(0);
  });

  it('may join again while they are told, and are told the next time', () => {
    const { list, members } = listOf(3);
    for (const member of members) {
      member.whenTold = () => {
        list.delete(member);
        list.add(member);
      };
    }
    list.onSettled();
    expect(members.every(({ told }) => told >= 1)).toBe(true);
    expect(list.size).toBe(3);
  });

  it('can be gone through while they leave', () => {
    const { list } = listOf(5);
    for (const member of list) list.delete(member);
    expect(list.size).toBe(0);
  });
});
