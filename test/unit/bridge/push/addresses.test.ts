/** Which addresses webhooks may be at. */
import { describe, expect, it } from 'vitest';
import { AllowedTargets } from '../../../../src/bridge/push/allowed-targets.js';
import { isPublicAddress } from '../../../../src/bridge/push/public-address.js';
import { AddressRange } from '../../../../src/core/address-range.js';
import { parseIpAddress } from '../../../../src/core/ip-address.js';

describe('an address', () => {
  it.each([
    ['10.0.0.1', '00000000000000000000ffff0a000001'],
    ['255.255.255.255', '00000000000000000000ffffffffffff'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
    ['::FFFF:a00:1', '00000000000000000000ffff0a000001'],
    ['0:0:0:0:0:ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fe80::', 'fe800000000000000000000000000000'],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('%s is read', (text, hex) => {
    expect(Buffer.from(parseIpAddress(text) ?? []).toString('hex')).toBe(hex);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '0x7f.0.0.1',
    '127.1',
    '2130706433',
    ' 10.0.0.1',
    'example.com',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::10.0.0',
    '10.0.0.1::',
    '10.0.0.1::10.0.0.1',
  ])('%j is none', (text) => {
    expect(parseIpAddress(text)).toBeNull();
  });
});

describe('a range', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.0'],
    ['10.9.9.9/8', '10.0.0.1', '9.0.0.0'],
    ['172.16.0.0/12', '172.31.255.255', '172.32.0.0'],
    ['192.168.1.128/25', '192.168.1.255', '192.168.1.127'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['192.0.2.7/32', '::ffff:192.0.2.7', '192.0.2.6'],
    ['0.0.0.0/0', '255.0.0.1', '::1'],
    ['fd00::/8', 'fdff::1', 'fe00::1'],
    ['2001:db8::/33', '2001:db8:7fff::', '2001:db8:8000::'],
    ['::ffff:10.0.0.0/104', '10.1.2.3', '11.1.2.3'],
    ['::/0', '10.0.0.1', null],
  ])('%s contains %s and not %s', (text, inside, outside) => {
    const range = AddressRange.parse(text);
    expect(range?.contains(addressOf(inside))).toBe(true);
    if (outside !== null) expect(range?.contains(addressOf(outside))).toBe(false);
  });

  it.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '10/8', 'fd00::/129', '::1/+8', 'host/8'])(
    '%s is none',
    (text) => {
      expect(AddressRange.parse(text)).toBeNull();
    },
  );
});

describe('addresses of the public internet', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
    '168.63.129.15',
    '::ffff:8.8.8.8',
    '2606:4700:4700::1111',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ])('%s is one', (text) => {
    expect(isPublicAddress(addressOf(text))).toBe(true);
  });

  it.each([
    ['this network', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['shared with a provider', '100.64.0.1'],
    ['metadata, Alibaba', '100.100.100.200'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local', '169.254.0.1'],
    ['metadata', '169.254.169.254'],
    ['metadata, containers', '169.254.170.2'],
    ['platform, Azure', '168.63.129.16'],
    ['assignments', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['benchmarks', '198.19.255.255'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped loopback', '::ffff:7f00:1'],
    ['mapped metadata', '::ffff:169.254.169.254'],
    ['compatible', '::127.0.0.1'],
    ['compatible', '::8.8.8.8'],
    ['NAT64 to a private one', '64:ff9b::10.0.0.1'],
    ['NAT64 to metadata', '64:ff9b::a9fe:a9fe'],
    ['NAT64, local use', '64:ff9b:1::808:808'],
    ['6to4 to a private one', '2002:a00:1::1'],
    ['6to4 to loopback', '2002:7f00:1::'],
    ['Teredo', '2001:0:808:808::'],
    ['ORCHID', '2001:20::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['segment routing', '5f00::1'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fdff::1'],
    ['metadata, AWS', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['discard', '100::1'],
  ])('%s is none: %s', (_what, text) => {
    expect(isPublicAddress(addressOf(text))).toBe(false);
  });
});

describe('the list of allowed targets', () => {
  it('allows every public address if it is empty', () => {
    const allowed = new AllowedTargets([]);
    expect(allowed.allows('a.example', '8.8.8.8')).toBe(true);
    expect(allowed.allows('a.example', '10.0.0.1')).toBe(false);
    expect(allowed.allows('localhost', '127.0.0.1')).toBe(false);
  });

  it('allows names at public addresses only', () => {
    const allowed = new AllowedTargets(['Hooks.Example.com', '*.example.org']);
    expect(allowed.allows('hooks.example.com', '8.8.8.8')).toBe(true);
    expect(allowed.allows('HOOKS.example.com.', '8.8.8.8')).toBe(true);
    expect(allowed.allows('a.b.example.org', '8.8.8.8')).toBe(true);
    expect(allowed.allows('example.org', '8.8.8.8')).toBe(false);
    expect(allowed.allows('evilexample.org', '8.8.8.8')).toBe(false);
    expect(allowed.allows('hooks.example.com.evil.net', '8.8.8.8')).toBe(false);
    expect(allowed.allows('8.8.8.8', '8.8.8.8')).toBe(false);
    expect(allowed.allows('hooks.example.com', '127.0.0.1')).toBe(false);
    expect(allowed.allows('hooks.example.com', '::ffff:127.0.0.1')).toBe(false);
  });

  it('allows ranges whatever the name, and in whatever form an address comes', () => {
    const allowed = new AllowedTargets(['10.0.0.0/8', '::1']);
    expect(allowed.allows('anything', '10.1.1.1')).toBe(true);
    expect(allowed.allows('anything', '::ffff:10.1.1.1')).toBe(true);
    expect(allowed.allows('anything', '::1')).toBe(true);
    expect(allowed.allows('anything', '127.0.0.1')).toBe(false);
    expect(allowed.allows('anything', '8.8.8.8')).toBe(false);
    expect(allowed.allows('anything', 'no address')).toBe(false);
  });

  it('knows beforehand what it can never allow', () => {
    expect(new AllowedTargets([]).mayAllow('127.0.0.1')).toBe(false);
    expect(new AllowedTargets([]).mayAllow('[::1]')).toBe(false);
    expect(new AllowedTargets([]).mayAllow('[::ffff:7f00:1]')).toBe(false);
    expect(new AllowedTargets([]).mayAllow('localhost')).toBe(false);
    expect(new AllowedTargets([]).mayAllow('hooks.localhost.')).toBe(false);
    expect(new AllowedTargets(['::1']).mayAllow('localhost')).toBe(true);
    expect(new AllowedTargets([]).mayAllow('notlocalhost')).toBe(true);
    expect(new AllowedTargets(['127.0.0.0/8']).mayAllow('127.0.0.1')).toBe(true);
    expect(new AllowedTargets(['a.example']).mayAllow('b.example')).toBe(false);
    expect(new AllowedTargets(['a.example', '10.0.0.0/8']).mayAllow('b.example')).toBe(true);
  });

  it.each(['', '*', '*.', 'a..b', 'http://a', 'a/b', '10.0.0.256', '10.0.0.0/40', '-a', 'a:80', 'a b', '*.*.b'])(
    'does not take %j',
    (entry) => {
      expect(AllowedTargets.isEntry(entry)).toBe(false);
      expect(() => new AllowedTargets([entry])).toThrow('no host name and no range');
    },
  );
});

function addressOf(text: string): Uint8Array {
  const address = parseIpAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address;
}
