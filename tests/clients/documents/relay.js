// Read by Relay's compiler.
import { graphql } from "relay-runtime";

graphql`
  query relayFirstContactsQuery($first: Int!) {
    contacts(first: $first) { nodes { name ...relay_reach } }
  }
`;
graphql`
  fragment relay_reach on Contact { emails { address } }
`;
