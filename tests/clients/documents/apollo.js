// Read by Apollo's generate-persisted-query-manifest, and by client.mjs.
import { gql } from "@apollo/client/core";

export const FIRST_CONTACTS = gql`
  fragment Reach on Contact {
    emails { address }
  }
  query FirstContacts($first: Int!) {
    contacts(first: $first) { nodes { name ...Reach } }
  }
`;

export const UNLINK = gql`
  mutation Unlink($id: ID!) {
    unlinkRecord(input: { recordId: $id }) { query { __typename } }
  }
`;
