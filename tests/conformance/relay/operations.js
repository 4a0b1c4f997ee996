// Compiled by relay-compiler, never run: the operations of an application written with Relay.
import { graphql } from "relay-runtime";

graphql`
  query operationsListQuery($count: Int!, $cursor: String) {
    ...operations_list @arguments(count: $count, cursor: $cursor)
  }
`;

graphql`
  fragment operations_list on Query
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" })
  @refetchable(queryName: "operationsListPaginationQuery") {
    contacts(first: $count, after: $cursor) @connection(key: "operations_list_contacts") {
      edges { node { id ...operations_card } }
    }
  }
`;

graphql`
  fragment operations_card on Contact @refetchable(queryName: "operationsCardRefetchQuery") {
    name
    emails { address primary }
    records { id provider }
  }
`;

graphql`
  mutation operationsCreateMutation($input: CreateContactInput!) {
    createContact(input: $input) {
      status
      contact { id name ...operations_card }
      results { provider outcome ... on ProviderWriteFailure { error { code } } }
    }
  }
`;
