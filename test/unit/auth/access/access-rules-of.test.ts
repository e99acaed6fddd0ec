import { describe, expect, it } from 'vitest';
import {
  AccessControl,
  type Authenticator,
  accessRulesOf,
  identityOf,
} from '../../../../src/auth/access/access-rules-of.js';
import { TestBroker } from '../../../support/test-broker.js';

const named: Authenticator = {
  authenticate: ({ username }) => ({ allowed: true, identity: identityOf(username ?? null) }),
};

describe('rules of a broker within a program', () => {
  it('hold as those of files do, and can be replaced', async () => {
    const roles = { roles: { reader: [{ allow: 'subscribe', topic: 'sites/#' }] }, users: { ann: ['reader'] } };
    const access = new AccessControl(accessRulesOf({ acl: 'user bob\ntopic write sites/1\n', roles }));
    const test = await TestBroker.start({ access, authenticator: named });
    const ann = await test.connect('a', { username: 'ann' });
    const bob = await test.connect('b', { username: 'bob' });
    await ann.subscribe('sites/1', 1);
    bob.send({ cmd: 'publish', topic: 'sites/1', payload: 'seen', qos: 1, messageId: 1, dup: false, retain: false });
    expect(await bob.expectPacket('puback')).toMatchObject({ reasonCode: 0 });
    expect((await ann.expectPacket('publish')).payload.toString()).toBe('seen');
    access.replace(accessRulesOf({ roles }));
    bob.send({ cmd: 'publish', topic: 'sites/1', payload: 'unseen', qos: 1, messageId: 2, dup: false, retain: false });
    expect(await bob.expectPacket('puback')).toMatchObject({ reasonCode: 0x87 });
  });

  it('are refused with everything that is wrong in them', () => {
    const wrong = (): unknown => accessRulesOf({ acl: 'topic read a\nnonsense\n', roles: { rules: {} } });
    expect(wrong).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
    expect(wrong).toThrow(/acl:2:1: .*roles\.rules: /);
  });
});
