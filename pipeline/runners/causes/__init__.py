"""Why a component runs again: what differs from its earlier executions."""
