/**
 * Which reason codes each control packet may carry, and who may send them (tables of sections 3.2.2.2, 3.9.3, 3.11.3,
 * 3.14.2.1 and 3.15.2.1). Indexed by reason code; 0 means that the packet does not know it.
 */
import { ReasonCode as code } from '../core/reason-code.js';

export const FROM_CLIENT = 1;
export const FROM_SERVER = 2;

export type ReasonCodeTable = Uint8Array;

export const CONNACK_CODES = reasonCodeTable({
  server: [
    code.Success,
    code.UnspecifiedError,
    code.MalformedPacket,
    code.ProtocolError,
    code.ImplementationSpecificError,
    code.UnsupportedProtocolVersion,
    code.ClientIdentifierNotValid,
    code.BadUserNameOrPassword,
    code.NotAuthorized,
    code.ServerUnavailable,
    code.ServerBusy,
    code.Banned,
    code.BadAuthenticationMethod,
    code.TopicNameInvalid,
    code.PacketTooLarge,
    code.QuotaExceeded,
    code.PayloadFormatInvalid,
    code.RetainNotSupported,
    code.QosNotSupported,
    code.UseAnotherServer,
    code.ServerMoved,
    code.ConnectionRateExceeded,
  ],
});

export const SUBACK_CODES = reasonCodeTable({
  server: [
    code.Success,
    code.GrantedQos1,
    code.GrantedQos2,
    code.UnspecifiedError,
    code.ImplementationSpecificError,
    code.NotAuthorized,
    code.TopicFilterInvalid,
    code.PacketIdentifierInUse,
    code.QuotaExceeded,
    code.SharedSubscriptionsNotSupported,
    code.SubscriptionIdentifiersNotSupported,
    code.WildcardSubscriptionsNotSupported,
  ],
});

export const UNSUBACK_CODES = reasonCodeTable({
  server: [
    code.Success,
    code.NoSubscriptionExisted,
    code.UnspecifiedError,
    code.ImplementationSpecificError,
    code.NotAuthorized,
    code.TopicFilterInvalid,
    code.PacketIdentifierInUse,
  ],
});

export const DISCONNECT_CODES = reasonCodeTable({
  client: [code.DisconnectWithWill],
  server: [
    code.NotAuthorized,
    code.ServerBusy,
    code.ServerShuttingDown,
    code.KeepAliveTimeout,
    code.SessionTakenOver,
    code.TopicFilterInvalid,
    code.RetainNotSupported,
    code.QosNotSupported,
    code.UseAnotherServer,
    code.ServerMoved,
    code.SharedSubscriptionsNotSupported,
    code.ConnectionRateExceeded,
    code.MaximumConnectTime,
    code.SubscriptionIdentifiersNotSupported,
    code.WildcardSubscriptionsNotSupported,
  ],
  both: [
    code.Success,
    code.UnspecifiedError,
    code.MalformedPacket,
    code.ProtocolError,
    code.ImplementationSpecificError,
    code.TopicNameInvalid,
    code.ReceiveMaximumExceeded,
    code.TopicAliasInvalid,
    code.PacketTooLarge,
    code.MessageRateTooHigh,
    code.QuotaExceeded,
    code.AdministrativeAction,
    code.PayloadFormatInvalid,
  ],
});

export const AUTH_CODES = reasonCodeTable({
  client: [code.ReAuthenticate],
  server: [code.Success],
  both: [code.ContinueAuthentication],
});

function reasonCodeTable(senders: {
  client?: readonly number[];
  server?: readonly number[];
  both?: readonly number[];
}): ReasonCodeTable {
  const table = new Uint8Array(256);
  for (const reasonCode of senders.client ?? []) table[reasonCode] = FROM_CLIENT;
  for (const reasonCode of senders.server ?? []) table[reasonCode] = FROM_SERVER;
  for (const reasonCode of senders.both ?? []) table[reasonCode] = FROM_CLIENT | FROM_SERVER;
  return table;
}
