"""Operations compiled once into functions: a plan answers what graphql-core's executor would, but faster."""
